// Which forge a repository belongs to, and what opens it: the forges of the configuration and those that projects were
// registered with. Tokens are in the secret store alone. Wired in main.ts.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ForgeChoice } from '../../../protocol/project.ts';
import type { ForgeSettings } from '../../config/schema.ts';
import type { Database } from '../../db/connect.ts';
import type { SecretManager } from '../../secrets/secret-manager.ts';
import { requireSecret } from '../../secrets/secret-manager.ts';
import type { RepositoryStore } from '../mirror.ts';
import type { Author } from '../submission-commit.ts';
import { forgeName, pathOn, webAddress } from './address.ts';
import type { Forge } from './forge.ts';
import { checkGiteaAccess, giteaForge } from './gitea.ts';
import type { GiteaApi } from './gitea-api.ts';
import { giteaApi } from './gitea-api.ts';
import { localForge } from './local.ts';

/** The forge of repositories that belong to none with pull requests. */
const LOCAL = 'local';

export interface ForgeRepository {
  origin: string;
  forge: string;
}

export interface Forges {
  /** Finds the forge of a repository, or registers the one that is named; its name. */
  choose(origin: string, choice: ForgeChoice | undefined): Promise<string>;
  /** Fails where the token does not open the repository as submission needs it. */
  check(repository: ForgeRepository): Promise<void>;
  /** The forge of a repository; undefined for `local`. */
  open(repository: ForgeRepository): Promise<Forge | undefined>;
  /** The HTTP header that opens an address for git, and the base address that it is for. */
  credentials(address: string): Promise<{ url: string; header: string } | undefined>;
  /** What the deliveries of a forge's webhook are signed with; undefined when there is no such forge or no secret. */
  webhookSecret(name: string): Promise<string | undefined>;
}

interface Entry {
  name: string;
  url: string;
  tokenSecret: string;
  webhookSecret: string;
}

/** Opens forges, with the clients of their servers kept, so that all work together heeds a rate limit. */
export function openForges(deps: {
  db: Database;
  secrets: SecretManager;
  configured: readonly ForgeSettings[];
}): Forges {
  const { db, secrets } = deps;
  const configured = deps.configured.map(entryOf);
  const clients = new Map<string, GiteaApi>();

  const entries = async (): Promise<Entry[]> => {
    const { rows } = await db.query<{ name: string; url: string }>(
      'select name, url from forge order by name',
    );
    return [
      ...configured,
      ...rows.map(entryOf).filter((row) => configured.every(({ name }) => name !== row.name)),
    ];
  };
  const named = async (name: string) => (await entries()).find((entry) => entry.name === name);
  const forOrigin = async (origin: string) =>
    (await entries()).find(({ url }) => pathOn(url, origin) !== undefined);
  const client = ({ name, url, tokenSecret }: Entry) => {
    const key = `${name} ${url}`;
    const made =
      clients.get(key) ?? giteaApi({ name, url, token: () => requireSecret(secrets, tokenSecret) });
    clients.set(key, made);
    return made;
  };

  async function place({
    origin,
    forge,
  }: ForgeRepository): Promise<{ api: GiteaApi; path: string } | undefined> {
    if (forge === LOCAL) return undefined;
    const entry = await named(forge);
    if (entry === undefined) {
      throw new AutocodeError('ERR_CONFIG', `The forge ${forge} of ${origin} is not configured any more.`, {
        remedy:
          'Put it back under `forges` in the configuration, or name another with `autocode project set PROJECT --forge`.',
      });
    }
    return { api: client(entry), path: pathOrFail(entry, origin) };
  }

  async function choose(origin: string, choice: ForgeChoice | undefined): Promise<string> {
    if (choice?.name === LOCAL) return LOCAL;
    const found = choice?.name === undefined ? await forOrigin(origin) : await named(choice.name);
    if (choice === undefined) return found?.name ?? LOCAL;
    const url = withoutSlash(choice.url ?? found?.url ?? webAddress(origin));
    if (found !== undefined && found.url !== url) throw elsewhere(found, url);
    const entry = found ?? entryOf({ name: choice.name ?? forgeName(url), url });
    pathOrFail(entry, origin);
    await keep(entry, choice, found === undefined);
    return entry.name;
  }

  // A new forge comes with its token: a secret that is there already is never sent to an address that somebody names.
  async function keep(entry: Entry, choice: ForgeChoice, isNew: boolean): Promise<void> {
    if (isNew && choice.token === undefined) {
      throw new AutocodeError(
        'ERR_INVALID_INPUT',
        `There is no forge ${entry.name} yet, and no token came for it.`,
        {
          remedy: 'Give one with --forge-token-file FILE.',
        },
      );
    }
    if (choice.token !== undefined) await secrets.put(entry.tokenSecret, choice.token);
    if (choice.webhookSecret !== undefined) await secrets.put(entry.webhookSecret, choice.webhookSecret);
    if (isNew) {
      await db.query(`insert into forge (name, kind, url) values ($1, 'gitea', $2) on conflict do nothing`, [
        entry.name,
        entry.url,
      ]);
    }
  }

  return {
    choose,
    check: async (repository) => {
      const found = await place(repository);
      if (found !== undefined) await checkGiteaAccess(found.api, found.path);
    },
    open: async (repository) => {
      const found = await place(repository);
      return found === undefined ? undefined : giteaForge(found.api, found.path);
    },
    credentials: async (address) => {
      if (!/^https?:/.test(address)) return undefined;
      const entry = await forOrigin(address);
      if (entry === undefined) return undefined;
      const token = await requireSecret(secrets, entry.tokenSecret);
      const basic = Buffer.from(`autocode:${token}`).toString('base64');
      return { url: `${entry.url}/`, header: `Authorization: Basic ${basic}` };
    },
    webhookSecret: async (name) => {
      const entry = await named(name);
      return entry === undefined ? undefined : (await secrets.get(entry.webhookSecret))?.value;
    },
  };
}

/** The forge of a repository, the local one where it belongs to no other. */
export async function forgeOf(
  { forges, store, author }: { forges: Forges; store: RepositoryStore; author: Author },
  repository: ForgeRepository,
): Promise<Forge> {
  return (await forges.open(repository)) ?? localForge(store, author);
}

function entryOf({ name, url, ...secrets }: { name: string; url: string } & Partial<ForgeSettings>): Entry {
  return {
    name,
    url: withoutSlash(url),
    tokenSecret: secrets.tokenSecret ?? `forge-${name}`,
    webhookSecret: secrets.webhookSecret ?? `webhook-${name}`,
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

function pathOrFail({ name, url }: Entry, origin: string): string {
  const path = pathOn(url, origin);
  if (path !== undefined) return path;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `${origin} is no repository of the forge ${name}, which is at ${url}.`,
    {
      remedy: 'Name another forge with --forge, or correct its address with --forge-url.',
    },
  );
}

function elsewhere({ name, url }: Entry, wanted: string): AutocodeError {
  return new AutocodeError('ERR_CONFLICT', `The forge ${name} is at ${url}, not at ${wanted}.`, {
    remedy: 'Give the other one another name with --forge NAME.',
  });
}
