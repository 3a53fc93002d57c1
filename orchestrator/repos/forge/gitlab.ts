// GitLab, gitlab.com or one's own: how its servers are found, asked and heard. Used by kinds.ts; its repositories are in
// gitlab-repository.ts.
import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { ForgeHost, ForgeKind, ForgeServer, ListedRepository } from './forge.ts';
import type { ForgeApi } from './forge-http.ts';
import { forgeApi } from './forge-http.ts';
import { gitlabFacts } from './gitlab-facts.ts';
import { gitlabRepository } from './gitlab-repository.ts';
import { Project } from './gitlab-shapes.ts';
import { probe } from './recognise.ts';

const PAGE = 100;
const DEVELOPER = 30;

const Member = z.object({ username: z.string(), state: z.string() });
const MergeRequestEvent = z.object({
  object_kind: z.literal('merge_request'),
  object_attributes: z.object({ iid: z.number(), source_branch: z.string() }),
});
const PushEvent = z.object({
  object_kind: z.literal('push'),
  ref: z.string().startsWith('refs/heads/'),
  project: z.object({ path_with_namespace: z.string() }),
});

/** GitLab. */
export const gitlab: ForgeKind = {
  name: 'gitlab',
  nested: true,
  apps: false,
  isHost: (host) => host === 'gitlab.com',
  recognise: async (url, signal) => {
    const { headers } = await probe(`${url}/api/v4/version`, signal);
    return headers['x-gitlab-meta'] !== undefined; // with every answer of its API, the refusals too
  },
  hostOf: gitlabHost,
  webhook: {
    // X-Gitlab-Event-UUID is one for all events of one cause, as for a merge and its push.
    headers: { delivery: 'idempotency-key', event: 'x-gitlab-event', signature: 'x-gitlab-token' },
    isSigned: (_body, secret, token) => timingSafeEqual(digest(token), digest(secret)),
    read: (_event, body) => {
      const push = PushEvent.safeParse(body).data;
      if (push !== undefined)
        return { path: push.project.path_with_namespace, pushed: push.ref.slice('refs/heads/'.length) };
      const told = MergeRequestEvent.safeParse(body);
      if (!told.success) return undefined;
      const { iid: number, source_branch: branch } = told.data.object_attributes;
      return { number, branch };
    },
    facts: gitlabFacts,
  },
};

// A token is sent as a bearer: personal, project, group and OAuth tokens are all taken so.
function gitlabHost({ name, url, credential }: ForgeServer): ForgeHost {
  const api = forgeApi({
    name,
    api: `${url}/api/v4`,
    product: 'GitLab',
    rights: 'the scope api (or api and write_repository), and its user the role Developer in the project',
    headers: async () => ({ authorization: `Bearer ${(await credential()).token}` }),
    longest: { per_page: PAGE },
  });
  return {
    repository: (path) => gitlabRepository(api, path),
    list: ({ owner }, signal) => listProjects(api, owner, signal),
    members: async (team, signal) => {
      const route = `/groups/${encodeURIComponent(team.replace(/\/$/, ''))}/members/all`;
      const found = await api.all(route, { answer: z.array(Member), signal });
      return found.filter(({ state }) => state === 'active').map(({ username }) => username);
    },
    gitCredential: async () => ({ username: 'oauth2', password: (await credential()).token }),
  };
}

// An owner is a user or a group; what is in its subgroups is its own too.
async function* listProjects(
  api: ForgeApi,
  owner: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedRepository> {
  const query = {
    membership: 'true',
    min_access_level: DEVELOPER,
    order_by: 'id',
    sort: 'asc',
    pagination: 'keyset',
  };
  for await (const page of api.pages('/projects', { answer: z.array(Project), query, signal })) {
    for (const { path_with_namespace: path, http_url_to_repo: cloneUrl, ...each } of page) {
      if (owner !== undefined && !path.toLowerCase().startsWith(`${owner.toLowerCase()}/`)) continue;
      if (typeof each.default_branch !== 'string') continue;
      const { default_branch: defaultBranch, archived } = each;
      yield { path, cloneUrl, defaultBranch, archived, private: each.visibility !== 'public' };
    }
  }
}

// Digests have one length, whatever was sent.
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
