// Notes and emoji of ours at GitLab. Used by gitlab-repository.ts.
import { z } from 'zod';
import type { ForgeApi } from './forge-http.ts';
import type { ForgeTalk } from './forge.ts';
import { isRefusal } from './pull-requests.ts';

const Note = z.object({ id: z.int(), body: z.string() });
const EMOJI = { seen: 'eyes', done: 'rocket', failed: 'thumbsdown' };
/** What GitLab says, with 404 or 409, to one who has given that emoji already. */
const GIVEN = /already been taken/i;

/** What is said in a project; `find` gives its address below the API. */
export function gitlabTalk(
  api: ForgeApi,
  find: (signal: AbortSignal | undefined) => Promise<string>,
): ForgeTalk {
  return {
    comments: async (issue, since, signal) => {
      const route = `${await find(signal)}/issues/${issue}/notes`;
      const query = { order_by: 'created_at', sort: 'desc' };
      const found: { id: string; body: string }[] = [];
      const Dated = z.array(Note.extend({ created_at: z.string() }));
      for await (const page of api.pages(route, { answer: Dated, query, signal })) {
        const recent = page.filter(({ created_at: at }) => new Date(at) >= since);
        found.push(...recent.map(({ id, body }) => ({ id: String(id), body })));
        if (recent.length < page.length) break;
      }
      return found.toReversed();
    },
    write: async (issue, id, body, signal) => {
      const notes = `${await find(signal)}/issues/${issue}/notes`;
      const [method, route] = id === null ? (['POST', notes] as const) : (['PUT', `${notes}/${id}`] as const);
      return String((await api.request(method, route, { answer: Note, json: { body }, signal })).id);
    },
    react: async ({ number, onChange, comment }, reaction, signal) => {
      const of = `${await find(signal)}/${onChange ? 'merge_requests' : 'issues'}/${number}`;
      const route = `${of}/notes/${comment}/award_emoji`;
      const json = { name: EMOJI[reaction] };
      await api.request('POST', route, { answer: z.unknown(), json, signal }).catch((error: unknown) => {
        if (!isRefusal(error) || !GIVEN.test(error.message)) throw error;
      });
    },
  };
}
