// Which forge a repository belongs to, and what opens it: the forges of the configuration and those that projects were
// registered with. Tokens are in the secret store alone. Wired in main.ts.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Forge as KnownForge, ForgeInput, ForgeUse } from '../../../protocol/forge.ts';
import type { ForgeChoice, ForgeKindName } from '../../../protocol/project.ts';
import type { ForgeSettings } from '../../config/schema.ts';
import { transaction, type Database, type Queryable } from '../../db/connect.ts';
import type { SecretManager } from '../../secrets/secret-manager.ts';
import { recentSecrets } from '../../secrets/recent.ts';
import { requireSecret } from '../../secrets/secret-manager.ts';
import type { RepositoryStore } from '../mirror.ts';
import type { Author } from '../submission-commit.ts';
import { forgeName, hostOf, issueOn, pathOn, webAddress } from './address.ts';
import { refuseWhileUsed, useOf } from './forge-use.ts';
import type { Forge, ForgeHost, ForgeIssue, ListedRepository } from './forge.ts';
import { KINDS, kindNamed, recogniseKind } from './kinds.ts';
import { localForge } from './local.ts';

/** The forge of repositories that belong to none with pull requests. */
const LOCAL = 'local';

const ROW = 'name, kind, url, app_id as "appId"';

export interface ForgeRepository {
  origin: string;
  forge: string;
}

export interface Forges {
  /** Finds the forge of a repository, or registers the one that is named; its name. */
  choose(origin: string, choice: ForgeChoice | undefined): Promise<string>;
  /** Keeps a forge that was chosen from being removed until the transaction ends; ERR_CONFLICT where it has been meanwhile. */
  hold(tx: Queryable, name: string): Promise<void>;
  /** Fails where the token does not open the repository as submission needs it. */
  check(repository: ForgeRepository): Promise<void>;
  /** The forge of a repository; undefined for `local`. */
  open(repository: ForgeRepository): Promise<Forge | undefined>;
  /** The HTTP header that opens an address for git, and the base address that it is for. */
  credentials(address: string): Promise<{ url: string; header: string } | undefined>;
  /** What the deliveries of a forge's webhook are signed with; undefined when there is no such forge or no secret. */
  webhookSecret(kind: ForgeKindName, name: string): Promise<string | undefined>;
  /** All forges but the local one. */
  known(): Promise<KnownForge[]>;
  /** Registers a forge by itself, without a repository; one that is known gets the new credential. */
  register(choice: ForgeInput): Promise<KnownForge>;
  /** A forge, and what would miss it; ERR_NOT_FOUND. */
  use(name: string): Promise<ForgeUse>;
  /** Removes a forge that was registered, with its secrets; ERR_STATE while something uses it. */
  remove(name: string): Promise<ForgeUse>;
  /** Repositories of a forge that its credential may push to. */
  list(
    name: string,
    filter: { owner?: string | undefined },
    signal?: AbortSignal,
  ): AsyncIterable<ListedRepository>;
  /** Who is in a team of a forge; ERR_NOT_FOUND. */
  members(name: string, team: string, signal?: AbortSignal): Promise<string[]>;
  /** The issue at an address as a browser shows it, and the repository that it is of; ERR_NOT_FOUND. */
  issue(url: string, signal?: AbortSignal): Promise<ForgeIssue & { forge: string; path: string }>;
}

interface Entry {
  name: string;
  kind: ForgeKindName;
  url: string;
  appId: string | null;
  tokenSecret: string;
  webhookSecret: string;
}

/** Opens forges, with the clients of their servers kept, so that all work together heeds a rate limit. */
export function openForges(deps: {
  db: Database;
  secrets: SecretManager;
  configured: readonly ForgeSettings[];
  /** Takes secrets out of what is written there. */
  clean?: <T>(value: T) => T;
}): Forges {
  const { db, secrets, clean = (value) => value } = deps;
  const configured = deps.configured.map(entryOf);
  const hosts = new Map<string, ForgeHost>();
  const hookSecrets = recentSecrets(secrets);

  const entries = async (from: Queryable = db): Promise<Entry[]> => {
    const { rows } = await from.query<ForgeRow>(`select ${ROW} from forge order by name`);
    return [...configured, ...rows.map(entryOf).filter(({ name }) => !isConfigured(name))];
  };
  const named = async (name: string) => (await entries()).find((entry) => entry.name === name);
  const required = async (name: string) => {
    const found = await named(name);
    if (found !== undefined) return found;
    throw unknownForge(name, await names(db));
  };
  const names = async (from: Queryable) => (await entries(from)).map(({ name }) => name);
  const forOrigin = async (origin: string) =>
    (await entries()).find((entry) => pathAt(entry, origin) !== undefined);
  const isConfigured = (name: string) => configured.some((each) => each.name === name);
  const hostAt = (entry: Entry) => {
    const { name, kind, url, appId, tokenSecret } = entry;
    const key = JSON.stringify(entry);
    const credential = async () => ({ token: await requireSecret(secrets, tokenSecret), appId });
    const made = hosts.get(key) ?? kindNamed(kind).hostOf({ name, url, credential });
    hosts.set(key, made);
    return made;
  };

  async function open({ origin, forge }: ForgeRepository): Promise<Forge | undefined> {
    if (forge === LOCAL) return undefined;
    const entry = await named(forge);
    if (entry === undefined) {
      throw new AutocodeError('ERR_CONFIG', `The forge ${forge} of ${origin} is not configured any more.`, {
        remedy:
          'Put it back under `forges` in the configuration, or name another with `autocode project set PROJECT --forge`.',
      });
    }
    const found = hostAt(entry).repository(pathOrFail(entry, origin));
    const { talk, tell } = found;
    return {
      ...found,
      propose: async (proposal, signal) => await found.propose(clean(proposal), signal),
      comment: async (change, text) => await found.comment(change, clean(text)),
      ...(tell !== undefined && {
        tell: async (at, statuses, signal) => await tell(at, clean(statuses), signal),
      }),
      ...(talk !== undefined && {
        talk: {
          ...talk,
          write: async (issue, id, text, signal) => await talk.write(issue, id, clean(text), signal),
        },
      }),
    };
  }

  async function choose(origin: string, choice: ForgeChoice | undefined): Promise<string> {
    if (choice?.name === LOCAL) return LOCAL;
    const found = choice?.name === undefined ? await forOrigin(origin) : await named(choice.name);
    if (choice === undefined) return found?.name ?? LOCAL;
    const url = withoutSlash(choice.url ?? found?.url ?? addressOfForge(origin));
    if (found !== undefined && found.url !== url) throw elsewhere(found, url);
    const entry = found ?? (await newEntry(url, choice));
    pathOrFail(entry, origin);
    checkChoice(entry, choice);
    await keep(entry, choice, found === undefined);
    return entry.name;
  }

  // A new forge comes with its token: a secret that is there already is never sent to an address that somebody names.
  async function newEntry(url: string, { name, kind, token, appId }: ForgeChoice): Promise<Entry> {
    const entry = { name: name ?? forgeName(url), url, appId };
    if (token !== undefined) return entryOf({ ...entry, kind: kind ?? (await recogniseKind(url)).name });
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `There is no forge ${entry.name} yet, and no token came for it.`,
      { remedy: 'Give one with --forge-token-file FILE.' },
    );
  }

  // With the row held, so that a removal takes all of it or nothing; the id of an App is there before its key: whether the secret is a
  // token or a key, it tells itself.
  async function keep(entry: Entry, choice: ForgeChoice, isNew: boolean): Promise<void> {
    const { name, kind, url, appId, tokenSecret, webhookSecret } = entry;
    if (isConfigured(name) && choice.appId !== undefined && appId !== choice.appId) throw configuredApp(name);
    await transaction(db, async (tx) => {
      const insert =
        'insert into forge (name, kind, url, app_id) values ($1, $2, $3, $4) on conflict do nothing';
      if (isNew) await tx.query(insert, [name, kind, url, appId]);
      await hold(tx, name);
      if (!isNew && choice.appId !== undefined)
        await tx.query('update forge set app_id = $2 where name = $1', [name, choice.appId]);
      if (choice.token !== undefined) await secrets.put(tokenSecret, choice.token);
      if (choice.webhookSecret !== undefined) await secrets.put(webhookSecret, choice.webhookSecret);
    });
  }

  async function hold(tx: Queryable, name: string): Promise<void> {
    if (name === LOCAL || isConfigured(name)) return;
    const { rowCount } = await tx.query('select from forge where name = $1 for no key update', [name]);
    if (rowCount === 0)
      throw new AutocodeError('ERR_CONFLICT', `The forge ${name} was removed meanwhile.`, {
        remedy: 'Register it anew, with its token (--forge-token-file).',
      });
  }

  async function use(from: Queryable, entry: Entry): Promise<ForgeUse> {
    const { name, tokenSecret, webhookSecret } = entry;
    const others = (await entries(from)).filter((other) => other.name !== name);
    // git goes by the token of the forge that an address is of, also where a project wants no pull requests.
    const reaches = ({ origin, forge }: ForgeRepository) =>
      forge === name ||
      (/^https?:/.test(origin) &&
        pathAt(entry, origin) !== undefined &&
        others.every((other) => pathAt(other, origin) === undefined));
    const kept = new Set(configured.flatMap((other) => [other.tokenSecret, other.webhookSecret]));
    return {
      ...shown(entry),
      ...(await useOf(from, name, reaches)),
      secrets: [tokenSecret, webhookSecret].filter((secret) => !kept.has(secret)),
    };
  }

  // The row goes first: who makes something that needs it either was before, and is seen, or waits and finds it gone.
  async function remove(name: string): Promise<ForgeUse> {
    if (isConfigured(name)) throw inConfiguration(name);
    return await transaction(db, async (tx) => {
      const { rows } = await tx.query<ForgeRow>(`delete from forge where name = $1 returning ${ROW}`, [name]);
      if (rows[0] === undefined) throw unknownForge(name, await names(tx));
      const used = await use(tx, entryOf(rows[0]));
      refuseWhileUsed(name, used);
      for (const secret of used.secrets) await secrets.delete(secret);
      return used;
    });
  }

  const shown = ({ name, kind, url }: Entry): KnownForge => ({
    name,
    kind,
    url,
    configured: isConfigured(name),
  });

  return {
    choose,
    check: async (repository) => await (await open(repository))?.check(),
    open,
    credentials: async (address) => {
      if (!/^https?:/.test(address)) return undefined;
      const entry = await forOrigin(address);
      if (entry === undefined) return undefined;
      const { username, password } = await hostAt(entry).gitCredential(pathOrFail(entry, address));
      const basic = Buffer.from(`${username}:${password}`).toString('base64');
      return { url: `${entry.url}/`, header: `Authorization: Basic ${basic}` };
    },
    webhookSecret: async (kind, name) => {
      const entry = await named(name);
      return entry?.kind === kind ? (await hookSecrets.get(entry.webhookSecret))?.value : undefined;
    },
    known: async () => (await entries()).map(shown),
    hold,
    use: async (name) => await use(db, await required(name)),
    remove,
    register: async (choice) => {
      if (choice.name === LOCAL)
        throw new AutocodeError('ERR_INVALID_INPUT', `No forge can be named ${LOCAL}: that is none.`, {
          remedy: 'Choose another name with --forge.',
        });
      const url = withoutSlash(choice.url);
      const all = await entries();
      const found = all.find((entry) =>
        choice.name === undefined ? entry.url === url : entry.name === choice.name,
      );
      if (found !== undefined && found.url !== url) throw elsewhere(found, url);
      const entry = found ?? (await newEntry(url, choice));
      checkChoice(entry, choice);
      await keep(entry, choice, found === undefined);
      return shown(entry);
    },
    list: async function* list(name, filter, signal) {
      yield* hostAt(await required(name)).list(filter, signal);
    },
    members: async (name, team, signal) => await hostAt(await required(name)).members(team, signal),
    issue: async (url, signal) => {
      for (const entry of await entries()) {
        const place = issueOn(entry.url, url);
        if (place === undefined) continue;
        const found = await hostAt(entry).repository(place.path).issue(place.number, signal);
        return { ...found, forge: entry.name, path: place.path };
      }
      throw new AutocodeError('ERR_NOT_FOUND', `${url} is no issue of a forge that is known here.`, {
        remedy: 'Register the forge with a project of it (docs/forges.md), or check the address.',
      });
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

interface ForgeRow {
  name: string;
  kind: ForgeKindName;
  url: string;
  appId: string | null;
}

function entryOf(forge: ForgeSettings | ForgeRow): Entry {
  const { name, kind, url, appId } = forge;
  const { tokenSecret, webhookSecret } = 'tokenSecret' in forge ? forge : {};
  return {
    name,
    kind,
    url: withoutSlash(url),
    appId: appId ?? null,
    tokenSecret: tokenSecret ?? `forge-${name}`,
    webhookSecret: webhookSecret ?? `webhook-${name}`,
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

// By ssh a repository tells its host alone: enough where everybody knows the host.
function addressOfForge(origin: string): string {
  const host = hostOf(origin);
  const isPublic = host !== undefined && KINDS.some((kind) => kind.isHost(host));
  return isPublic ? `https://${host}` : webAddress(origin);
}

function pathAt({ kind, url }: Entry, origin: string): string | undefined {
  const path = pathOn(url, origin);
  return kindNamed(kind).nested || path?.split('/').length === 2 ? path : undefined;
}

function pathOrFail(entry: Entry, origin: string): string {
  const path = pathAt(entry, origin);
  if (path !== undefined) return path;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `${origin} is no repository of the forge ${entry.name}, which is at ${entry.url}.`,
    {
      remedy: 'Name another forge with --forge, or correct its address with --forge-url.',
    },
  );
}

function checkChoice(entry: Entry, { kind, appId }: ForgeChoice): void {
  if (kind !== undefined && kind !== entry.kind)
    throw new AutocodeError('ERR_CONFLICT', `The forge ${entry.name} is a ${entry.kind}, not a ${kind}.`);
  if (appId === undefined || kindNamed(entry.kind).apps) return;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `The forge ${entry.name} is a ${entry.kind}, which has no Apps.`,
    {
      remedy: 'Give an access token alone.',
    },
  );
}

function configuredApp(name: string): AutocodeError {
  return new AutocodeError(
    'ERR_CONFLICT',
    `The forge ${name} and the id of its App are in the configuration.`,
    {
      remedy: `Write the id there, as appId of ${name} under \`forges\`; its key may be given here.`,
    },
  );
}

function inConfiguration(name: string): AutocodeError {
  return new AutocodeError('ERR_STATE', `The forge ${name} is in the configuration.`, {
    remedy: 'Take it out there, under `forges`, and start the daemon anew.',
  });
}

function unknownForge(name: string, known: string[]): AutocodeError {
  return new AutocodeError('ERR_NOT_FOUND', `There is no forge ${name}.`, {
    remedy:
      known.length === 0
        ? 'There is none yet; it comes with the first project of it (docs/forges.md).'
        : `There are ${known.join(', ')}.`,
  });
}

function elsewhere({ name, url }: Entry, wanted: string): AutocodeError {
  return new AutocodeError('ERR_CONFLICT', `The forge ${name} is at ${url}, not at ${wanted}.`, {
    remedy: 'Give the other one another name with --forge NAME.',
  });
}
