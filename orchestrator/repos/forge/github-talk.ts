// Comments and reactions of ours at GitHub. Used by github-repository.ts.
import { z } from 'zod';
import type { ForgeApi } from './forge-http.ts';
import type { ForgeTalk } from './forge.ts';

const Comment = z.object({
  id: z.int(),
  body: z
    .string()
    .nullish()
    .transform((body) => body ?? ''),
});
const REACTIONS = { seen: 'eyes', done: 'rocket', failed: '-1' };

/** What is said in a repository. */
export function githubTalk(api: ForgeApi, repository: string): ForgeTalk {
  return {
    comments: async (issue, since, signal) => {
      const options = { answer: z.array(Comment), query: { since: since.toISOString() }, signal };
      const found = await api.all(`${repository}/issues/${issue}/comments`, options);
      return found.map(({ id, body }) => ({ id: String(id), body }));
    },
    write: async (issue, id, body, signal) => {
      const [method, route] =
        id === null ? (['POST', `${issue}/comments`] as const) : (['PATCH', `comments/${id}`] as const);
      const options = { answer: Comment, json: { body }, signal };
      return String((await api.request(method, `${repository}/issues/${route}`, options)).id);
    },
    // The same again is no second one.
    react: async ({ comment, line }, reaction, signal) => {
      const route = `${repository}/${line ? 'pulls' : 'issues'}/comments/${comment}/reactions`;
      const json = { content: REACTIONS[reaction] };
      await api.request('POST', route, { answer: z.unknown(), json, signal });
    },
  };
}
