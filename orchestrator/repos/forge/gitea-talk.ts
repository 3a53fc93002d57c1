// Comments and reactions of ours at Gitea. Used by gitea-repository.ts.
import { z } from 'zod';
import type { ForgeApi } from './forge-http.ts';
import type { ForgeTalk } from './forge.ts';

const Comment = z.object({ id: z.int(), body: z.string() });
const REACTIONS = { seen: 'eyes', done: 'rocket', failed: '-1' };

/** What is said in a repository. */
export function giteaTalk(api: ForgeApi, repository: string): ForgeTalk {
  return {
    comments: async (issue, since, signal) => {
      const query = { since: since.toISOString() };
      const route = `${repository}/issues/${issue}/comments`; // all at once: this list has no pages
      const found = await api.request('GET', route, { answer: z.array(Comment), query, signal });
      return found.map(({ id, body }) => ({ id: String(id), body }));
    },
    write: async (issue, id, body, signal) => {
      const [method, route] =
        id === null ? (['POST', `${issue}/comments`] as const) : (['PATCH', `comments/${id}`] as const);
      const options = { answer: Comment, json: { body }, signal };
      return String((await api.request(method, `${repository}/issues/${route}`, options)).id);
    },
    // The same again is no second one.
    react: async ({ comment }, reaction, signal) => {
      const route = `${repository}/issues/comments/${comment}/reactions`;
      const json = { content: REACTIONS[reaction] };
      await api.request('POST', route, { answer: z.unknown(), json, signal });
    },
  };
}
