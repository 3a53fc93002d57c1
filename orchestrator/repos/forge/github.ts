// GitHub, github.com and Enterprise Server: how it is found, asked and heard. Used by kinds.ts; its repositories are in
// github-repository.ts, Apps in github-app.ts.
import { z } from 'zod';
import { isSignedBy, toldBy } from './delivery.ts';
import type { ForgeHost, ForgeKind, ForgeServer, ListedRepository } from './forge.ts';
import type { ForgeApi } from './forge-http.ts';
import { forgeApi } from './forge-http.ts';
import { githubApp, headersWith, isPrivateKey } from './github-app.ts';
import { githubFacts } from './github-facts.ts';
import { githubRepository } from './github-repository.ts';
import { Repository, listed } from './github-shapes.ts';
import { probe } from './recognise.ts';

const RIGHTS =
  'the repository permissions contents and pull requests (read and write), issues (read), and checks with an App or commit statuses with a token (read and write); a classic token the scope repo';

/** github.com, GitHub Enterprise Server, and its cloud with data residency. */
export const github: ForgeKind = {
  name: 'github',
  nested: false,
  apps: true,
  isHost,
  recognise: async (url, signal) => {
    const { status, headers, content } = await probe(`${url}/api/v3/meta`, signal);
    const told = z.object({ installed_version: z.string() }).safeParse(content).success;
    return told || (status < 500 && status !== 404 && headers['x-github-request-id'] !== undefined);
  },
  hostOf: githubHost,
  webhook: {
    headers: {
      delivery: 'x-github-delivery',
      event: 'x-github-event',
      signature: 'x-hub-signature-256',
    },
    isSigned: (body, secret, signature) => isSignedBy(body, secret, signature.replace(/^sha256=/, '')),
    read: toldBy,
    facts: githubFacts,
  },
};

function isHost(host: string): boolean {
  return host === 'github.com' || host.endsWith('.ghe.com');
}

// The cloud has its API on a host of its own.
function apiOf(url: string): { rest: string; graphql: string } {
  const { host } = new URL(url);
  return isHost(host)
    ? { rest: `https://api.${host}`, graphql: `https://api.${host}/graphql` }
    : { rest: `${url}/api/v3`, graphql: `${url}/api/graphql` };
}

function githubHost({ name, url, credential }: ForgeServer): ForgeHost {
  const { rest, graphql } = apiOf(url);
  const server = { name, api: rest, product: 'GitHub', rights: RIGHTS, longest: { per_page: 100 } };
  const app = githubApp(server, credential);
  const clients = new Map<string, ForgeApi>();

  const tokenFor = async (path: string, renew = false) => {
    const { token } = await credential();
    return isPrivateKey(token) ? (await app.tokenFor(path, renew)).token : token;
  };
  // An App has a token and a rate limit for each owner.
  const clientFor = (path: string) => {
    const owner = path.split('/')[0]!.toLowerCase();
    const made =
      clients.get(owner) ??
      forgeApi({ ...server, headers: async (renew) => headersWith(await tokenFor(path, renew)) });
    clients.set(owner, made);
    return made;
  };

  async function* list(owner: string | undefined, signal: AbortSignal | undefined) {
    if (isPrivateKey((await credential()).token)) yield* app.repositories(owner, signal);
    else yield* listOfUser(clientFor(''), owner, signal);
  }

  return {
    repository: (path) =>
      githubRepository({
        api: clientFor(path),
        graphql,
        path,
        asApp: async () => {
          const { token } = await credential();
          return isPrivateKey(token) ? await app.tokenFor(path, false) : undefined;
        },
      }),
    list: ({ owner }, signal) => list(owner, signal),
    members: async (team, signal) => {
      const [owner = '', slug = ''] = team.split('/');
      const route = `/orgs/${encodeURIComponent(owner)}/teams/${encodeURIComponent(slug)}/members`;
      const answer = z.array(z.object({ login: z.string() }));
      return (await clientFor(owner).all(route, { answer, signal })).map(({ login }) => login);
    },
    gitCredential: async (path) => ({ username: 'x-access-token', password: await tokenFor(path) }),
  };
}

async function* listOfUser(
  api: ForgeApi,
  owner: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedRepository> {
  const query = { affiliation: 'owner,collaborator,organization_member', sort: 'full_name' };
  for await (const page of api.pages('/user/repos', { answer: z.array(Repository), query, signal })) {
    for (const each of page) {
      const isOf = owner === undefined || each.owner.login.toLowerCase() === owner.toLowerCase();
      if (isOf && each.permissions?.push === true) yield listed(each);
    }
  }
}
