// A stand-in for Jira on loopback: REST v2 as developer.atlassian.com documents it, in the way of Cloud (search/jql with page
// tokens, Basic) or of Data Center (search with startAt, Bearer), over issues in memory. `await using jira = await startFakeJira()`.
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

interface User {
  accountId?: string;
  name?: string;
  displayName: string;
}
interface Issue {
  id: string;
  key: string;
  summary: string;
  description: unknown;
  labels: string[];
  status: string;
  creator: User;
  created: Date;
  updated: Date;
  histories: { id: string; author: User; created: Date; items: object[] }[];
  comments: { id: string; author: User; body: string; created: Date }[];
  links: Map<string, { url: string; title: string }>;
}

export type FakeJira = Awaited<ReturnType<typeof startFakeJira>>;

/** Starts it, without an issue. `ahead`: by so much its clock differs from ours. */
export async function startFakeJira(edition: 'cloud' | 'data-center', { ahead = 0, pageMax = 100 } = {}) {
  const issues: Issue[] = [];
  const requests: string[] = [];
  const credential = edition === 'cloud' ? 'bot@example.com:api-token' : 'personal-access-token';
  const wanted =
    edition === 'cloud' ? `Basic ${Buffer.from(credential).toString('base64')}` : `Bearer ${credential}`;
  const self = person('bot');
  let ids = 10_000;
  const now = () => new Date(Date.now() + ahead);

  function person(name: string): User {
    return edition === 'cloud'
      ? { accountId: `account-${name}`, displayName: name }
      : { name, displayName: name };
  }
  const found = (id: string): Issue => {
    const issue = issues.find((each) => each.id === id || each.key === id);
    if (issue === undefined)
      throw new Refusal(404, 'Issue does not exist or you do not have permission to see it.');
    return issue;
  };

  function answer(
    method: string,
    url: URL,
    body: { body?: string; globalId?: string; object?: never },
  ): unknown {
    const path = url.pathname.replace(/^\/rest\/api\/2/, '');
    const query = url.searchParams;
    if (path === '/serverInfo') return { serverTime: stamp(now()), version: '9.12.0' };
    if (path === '/myself') return self;
    if (path === (edition === 'cloud' ? '/search/jql' : '/search')) return searched(query);
    const [, id = '', part, sub] =
      /^\/issue\/([^/]+)(?:\/(comment|remotelink)(?:\/([^/]+))?)?$/.exec(path) ?? [];
    const issue = found(id);
    if (part === undefined) return shownIssue(issue, query.get('expand') === 'changelog');
    if (part === 'remotelink') return void issue.links.set(body.globalId!, body.object!);
    if (method === 'GET')
      return { comments: issue.comments.toReversed().map(shownComment), total: issue.comments.length };
    if (method === 'POST') return shownComment(comment(issue.key, 'bot', body.body!));
    const given = issue.comments.find((each) => each.id === sub);
    if (given === undefined) throw new Refusal(404, 'Can not find a comment.');
    given.body = body.body!;
    return shownComment(given);
  }

  function searched(query: URLSearchParams) {
    const minutes = /updated >= "-(\d+)m" ORDER BY updated ASC$/.exec(query.get('jql') ?? '')?.[1];
    if (minutes === undefined) throw new Refusal(400, 'Error in the JQL Query.');
    const since = now().getTime() - Number(minutes) * 60_000;
    const all = issues.filter(({ updated }) => updated.getTime() >= Math.floor(since / 60_000) * 60_000);
    const from = Number(query.get(edition === 'cloud' ? 'nextPageToken' : 'startAt') ?? 0);
    const page = all.slice(from, from + pageMax).map(({ id, key }) => ({ id, key }));
    if (edition === 'data-center')
      return { issues: page, startAt: from, maxResults: pageMax, total: all.length };
    const isLast = from + pageMax >= all.length;
    return { issues: page, isLast, ...(!isLast && { nextPageToken: String(from + pageMax) }) };
  }

  const server = http.createServer((request, response) => {
    const serve = async (): Promise<[number, unknown]> => {
      const url = new URL(request.url!, 'http://jira');
      requests.push(`${request.method} ${url.pathname}`);
      const text = Buffer.concat(await request.toArray()).toString();
      if (request.headers.authorization !== wanted)
        return [401, { errorMessages: ['You are not authenticated.'] }];
      try {
        return [200, answer(request.method!, url, text === '' ? {} : (JSON.parse(text) as object)) ?? {}];
      } catch (error) {
        if (error instanceof Refusal) return [error.status, { errorMessages: [error.message], errors: {} }];
        throw error;
      }
    };
    void serve().then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function create(
    key: string,
    by: string,
    given: Partial<Pick<Issue, 'summary' | 'description' | 'labels' | 'status'>> = {},
  ) {
    const issue: Issue = {
      id: String(++ids),
      key,
      summary: `Summary of ${key}`,
      description: 'It is slow.',
      labels: [],
      status: 'To Do',
      creator: person(by),
      created: now(),
      updated: now(),
      histories: [],
      comments: [],
      links: new Map(),
      ...given,
    };
    issues.push(issue);
    return hook('jira:issue_created', issue, { user: person(by) });
  }
  function change(key: string, by: string, to: { labels?: string[]; status?: string }) {
    const issue = found(key);
    const items: object[] = [];
    const note = (field: string, fromString: string, toString: string) =>
      items.push({ field, fieldtype: 'jira', fromString, toString });
    if (to.labels) note('labels', issue.labels.join(' '), to.labels.join(' '));
    if (to.status) note('status', issue.status, to.status);
    const history = { id: String(++ids), author: person(by), created: now(), items };
    issue.histories.unshift(history);
    Object.assign(issue, to, { updated: now() });
    return hook('jira:issue_updated', issue, { user: person(by), changelog: { id: history.id, items } });
  }
  function comment(key: string, by: string, body: string) {
    const issue = found(key);
    const said = { id: String(++ids), author: person(by), body, created: now() };
    issue.comments.push(said);
    issue.updated = now();
    return said;
  }
  /** A webhook's bytes, as Jira would send them now. */
  function hook(webhookEvent: string, issue: Issue, more: object): Buffer {
    return Buffer.from(
      JSON.stringify({ timestamp: now().getTime(), webhookEvent, issue: shownIssue(issue, false), ...more }),
    );
  }

  return {
    url,
    credential,
    requests,
    issue: found,
    person,
    create,
    change,
    /** Somebody comments; the webhook of it. */
    comment: (key: string, by: string, body: string) => {
      const said = comment(key, by, body);
      return hook('comment_created', found(key), { comment: shownComment(said) });
    },
    delete: (key: string) => void issues.splice(issues.indexOf(found(key)), 1),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

/** Headers of a webhook that is signed with this secret. */
export function jiraHeaders(body: Buffer, secret: string, identifier: string): Record<string, string> {
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return { 'x-hub-signature': `sha256=${signature}`, 'x-atlassian-webhook-identifier': identifier };
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

function shownIssue({ id, key, histories, ...rest }: Issue, withHistory: boolean) {
  const { summary, description, labels, status, creator, created, updated, comments } = rest;
  const shown = histories.map((each) => ({ ...each, created: stamp(each.created) }));
  return {
    id,
    key,
    fields: {
      summary,
      description,
      labels,
      status: { name: status },
      creator,
      created: stamp(created),
      updated: stamp(updated),
      comment: { comments: comments.map(shownComment), total: comments.length },
    },
    ...(withHistory && { changelog: { startAt: 0, total: shown.length, histories: shown } }),
  };
}

function shownComment({ created, ...comment }: Issue['comments'][number]) {
  return { ...comment, created: stamp(created), updated: stamp(created) };
}

// As Jira writes times: an offset without a colon.
function stamp(time: Date): string {
  return time.toISOString().replace('Z', '+0000');
}
