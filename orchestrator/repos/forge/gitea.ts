// Gitea and Forgejo: how their servers are found, asked and heard. Used by kinds.ts; its repositories are in
// gitea-repository.ts.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { isSignedBy, toldBy } from './delivery.ts';
import type { ForgeHost, ForgeKind, ForgeServer, ListedRepository } from './forge.ts';
import type { ForgeApi } from './forge-http.ts';
import { forgeApi } from './forge-http.ts';
import { giteaFacts } from './gitea-facts.ts';
import { giteaRepository } from './gitea-repository.ts';
import { probe } from './recognise.ts';

const PAGE = 50;

const Version = z.object({ version: z.string() });
const Listed = z.object({
  full_name: z.string(),
  clone_url: z.string(),
  default_branch: z.string(),
  archived: z.boolean(),
  private: z.boolean(),
  empty: z.boolean(),
  owner: z.object({ login: z.string() }),
  permissions: z.object({ push: z.boolean() }),
});

/** Gitea, Forgejo. */
export const gitea: ForgeKind = {
  name: 'gitea',
  nested: false,
  apps: false,
  isHost: (host) => host === 'gitea.com' || host === 'codeberg.org',
  recognise: async (url, signal) => {
    return Version.safeParse((await probe(`${url}/api/v1/version`, signal)).content).success;
  },
  hostOf: giteaHost,
  webhook: {
    headers: { delivery: 'x-gitea-delivery', event: 'x-gitea-event', signature: 'x-gitea-signature' },
    isSigned: isSignedBy,
    read: toldBy,
    facts: giteaFacts,
  },
};

function giteaHost({ name, url, credential }: ForgeServer): ForgeHost {
  const api = forgeApi({
    name,
    api: `${url}/api/v1`,
    product: 'Gitea',
    rights:
      'the scopes write:repository and write:issue (to list repositories read:user too), and its user the right to write to the repository',
    headers: async () => ({ authorization: `token ${(await credential()).token}` }),
    page: (page) => ({ page, limit: PAGE }),
  });
  return {
    repository: (path) => giteaRepository(api, path),
    list: ({ owner }, signal) => listRepositories(api, owner, signal),
    members: async (team, signal) => await membersOf(api, team, signal),
    gitCredential: async () => ({ username: 'autocode', password: (await credential()).token }),
  };
}

async function membersOf(api: ForgeApi, team: string, signal: AbortSignal | undefined): Promise<string[]> {
  const [owner = '', wanted = ''] = team.split('/');
  const answer = z.array(z.object({ id: z.int(), name: z.string() }));
  const teams = await api.all(`/orgs/${encodeURIComponent(owner)}/teams`, { answer, signal });
  const found = teams.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (found === undefined) throw new AutocodeError('ERR_NOT_FOUND', `${owner} has no team ${wanted}.`);
  const members = z.array(z.object({ login: z.string() }));
  return (await api.all(`/teams/${found.id}/members`, { answer: members, signal })).map(({ login }) => login);
}

async function* listRepositories(
  api: ForgeApi,
  owner: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedRepository> {
  for await (const page of api.pages('/user/repos', { answer: z.array(Listed), signal })) {
    for (const each of page) {
      if (!each.permissions.push || each.empty) continue;
      if (owner !== undefined && each.owner.login.toLowerCase() !== owner.toLowerCase()) continue;
      const { full_name: path, clone_url: cloneUrl, default_branch: defaultBranch, archived } = each;
      yield { path, cloneUrl, defaultBranch, archived, private: each.private };
    }
  }
}
