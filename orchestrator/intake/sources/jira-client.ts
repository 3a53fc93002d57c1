// Jira's API, version 2, as Cloud and Data Center both have it: texts are wiki markup there. Used by jira.ts.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { forgeApi, type ForgeApi, type Method, type RequestOptions } from '../../repos/forge/forge-http.ts';
import type { Source, SourceDeps } from '../source.ts';
import type { JiraSettings } from './jira-settings.ts';
import { timeOf } from './shaped.ts';

const PAGE = 100;
const PAGES = 100;
const FIELDS = 'summary,description,labels,status,creator,created,updated,comment';

const Found = z.object({
  issues: z.array(z.object({ id: z.string() })),
  total: z.int().optional(), // Data Center's
  nextPageToken: z.string().nullish(), // Cloud's
});
const AnIssue = z.looseObject({ id: z.string(), fields: z.looseObject({ updated: z.string() }) });
const Comments = z.object({ comments: z.array(z.object({ id: z.string(), body: z.unknown() })) });

export interface Jira {
  /** What Jira's clock says. */
  now(signal: AbortSignal): Promise<Date>;
  /** Ids of the issues that a query finds, the least recently changed first. */
  search(jql: string, signal: AbortSignal): Promise<string[]>;
  /** An issue with its history and comments, as Jira has it; null where it was deleted meanwhile. */
  issue(id: string, signal: AbortSignal): Promise<z.infer<typeof AnIssue> | null>;
  /** Who we are to Jira. */
  self(signal: AbortSignal): Promise<string>;
  /** The newest hundred comments. */
  comments(issue: string, signal: AbortSignal): Promise<z.infer<typeof Comments>['comments']>;
  /** Writes a comment, or what stands in one; its id. */
  comment(issue: string, id: string | null, body: string, signal: AbortSignal): Promise<string>;
  /** Shows a link with an issue; one of the same name takes the place of the last. */
  link(issue: string, name: string, to: { url: string; title: string }, signal: AbortSignal): Promise<void>;
}

/** A client with the source's token; ERR_SECRET where it has none. */
export async function openJira(
  source: Source<JiraSettings>,
  { secret }: Pick<SourceDeps, 'secret'>,
): Promise<Jira> {
  const { url, edition, token } = source.settings;
  if (token === undefined) {
    throw new AutocodeError('ERR_SECRET', `The source ${source.name} has no token for Jira.`, {
      remedy: 'Name the secret that has it as `token` in the settings of the source.',
    });
  }
  const value = (await secret(token)).trim();
  const authorization =
    edition === 'cloud' ? `Basic ${Buffer.from(value).toString('base64')}` : `Bearer ${value}`;
  const api = forgeApi({
    name: source.name,
    api: `${url}/rest/api/2`,
    product: 'Jira',
    rights: 'to browse the projects and to comment on issues',
    headers: async () => await Promise.resolve({ authorization }),
  });
  const request = async <S extends z.ZodType>(method: Method, path: string, options: RequestOptions<S>) =>
    await api.request(method, path, options).catch((error: unknown) => {
      throw inOurWords(error, source.name, token);
    });
  return clientOf({ ...api, request }, edition);
}

function clientOf({ request }: Pick<ForgeApi, 'request'>, edition: JiraSettings['edition']): Jira {
  const page = async (
    jql: string,
    from: { startAt: number } | { nextPageToken?: string },
    signal: AbortSignal,
  ) =>
    await request('GET', edition === 'cloud' ? '/search/jql' : '/search', {
      answer: Found,
      query: { jql, fields: 'updated', maxResults: PAGE, ...from },
      signal,
    });
  return {
    now: async (signal) => {
      const { serverTime } = await request('GET', '/serverInfo', {
        answer: z.object({ serverTime: z.string() }),
        signal,
      });
      return timeOf(serverTime, 'clock of Jira');
    },
    search: async (jql, signal) => {
      const ids: string[] = [];
      let next: string | undefined;
      for (let count = 0; count < PAGES; count++) {
        const cloud = next === undefined ? {} : { nextPageToken: next };
        const { issues, total, nextPageToken } = await page(
          jql,
          edition === 'cloud' ? cloud : { startAt: ids.length },
          signal,
        );
        ids.push(...issues.map(({ id }) => id));
        next = nextPageToken ?? undefined;
        const last =
          edition === 'cloud' ? next === undefined : issues.length === 0 || ids.length >= (total ?? 0);
        if (last) break;
      }
      return ids;
    },
    issue: async (id, signal) => {
      const query = { fields: FIELDS, expand: 'changelog' };
      return await request('GET', `/issue/${id}`, { answer: AnIssue, query, signal }).catch(
        (error: unknown) => {
          if (error instanceof AutocodeError && error.code === 'ERR_NOT_FOUND') return null;
          throw error;
        },
      );
    },
    self: async (signal) => {
      const User = z.object({ displayName: z.string() });
      return (await request('GET', '/myself', { answer: User, signal })).displayName;
    },
    comments: async (issue, signal) => {
      const query = { orderBy: '-created', maxResults: PAGE };
      return (await request('GET', `/issue/${issue}/comment`, { answer: Comments, query, signal })).comments;
    },
    comment: async (issue, id, body, signal) => {
      const [method, path] = id === null ? (['POST', ''] as const) : (['PUT', `/${id}`] as const);
      const answer = z.object({ id: z.string() });
      return (await request(method, `/issue/${issue}/comment${path}`, { answer, json: { body }, signal })).id;
    },
    link: async (issue, globalId, object, signal) => {
      await request('POST', `/issue/${issue}/remotelink`, {
        answer: z.unknown(),
        json: { globalId, object },
        signal,
      });
    },
  };
}

// The client is that of forges, and speaks of their credentials.
function inOurWords(error: unknown, name: string, token: string): unknown {
  if (!(error instanceof AutocodeError)) return error;
  const denied = error.code === 'ERR_FORGE_DENIED';
  if (!denied && error.code !== 'ERR_FORGE_UNAVAILABLE') return error;
  return new AutocodeError(
    denied ? 'ERR_SOURCE_DENIED' : 'ERR_SOURCE_UNAVAILABLE',
    error.message.replace(/\bforge\b/, 'Jira of the source').replaceAll(/\bforge\b/g, 'Jira'),
    {
      remedy: denied
        ? `Give another token (\`autocode secret set ${token}\`), of somebody who may browse the projects and comment.`
        : `It is tried again; check the address in the settings of ${name}.`,
      cause: error,
    },
  );
}
