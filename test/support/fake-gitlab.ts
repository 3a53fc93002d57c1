// A stand-in for GitLab on loopback: REST v4 as docs.gitlab.com/api documents it (authentication, rest/ pagination and
// redirects, projects, members, merge_requests, notes, commits#commit-status, issues, users, personal_access_tokens,
// version) over state in memory, with real git over smart HTTP behind it. `await using gitlab = await startFakeGitLab()`.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { ROUTES } from './fake-gitlab-routes.ts';
import type { Input } from './fake-gitlab-routes.ts';
import type { Project, State, Token } from './fake-gitlab-state.ts';
import { Refusal, projectOf } from './fake-gitlab-state.ts';
import { TALK_ROUTES } from './fake-gitlab-talk.ts';
import { gitSite } from './git-site.ts';

export type FakeGitLab = Awaited<ReturnType<typeof startFakeGitLab>>;

/** Starts it; `prefix` as `/gitlab` for an installation below a path. */
export async function startFakeGitLab({ prefix = '' }: { prefix?: string } = {}) {
  const site = await gitSite();
  const state: State = {
    site,
    prefix,
    projects: [],
    users: ['root', 'bot'],
    tokens: new Map(),
    groups: new Map(),
    pageMax: 100,
  };
  const requests: string[] = [];
  const refusals: RegExp[] = [];
  let unchanged = 0;

  const server = http.createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const url = new URL(request.url!, `http://${request.headers.host}`);
    const path = url.pathname.slice(prefix.length);
    const git = /^\/(.+)\.git(\/(?:info\/refs|git-upload-pack|git-receive-pack))$/.exec(path);
    if (git !== null) return answerGit(state, git[1]!, git[2]! + url.search, request, response);
    const refused = refusals.findIndex((each) => each.test(`${request.method} ${request.url}`));
    if (refused !== -1) refusals.splice(refused, 1);
    const api = refused === -1 ? answerApi : forbid;
    const answer = await api(state, request, url, path.replace(/^\/api\/v4/, '')).catch((error: unknown) => {
      if (error instanceof Refusal) return { status: error.status, body: error.body, headers: error.headers };
      return { status: 500, body: { message: `500 Internal Server Error: ${String(error)}` }, headers: {} };
    });
    const body = JSON.stringify(answer.body);
    const etag = `W/"${createHash('md5').update(body).digest('hex')}"`;
    const same =
      request.method === 'GET' && answer.status === 200 && request.headers['if-none-match'] === etag;
    if (same) unchanged += 1;
    response.writeHead(same ? 304 : answer.status, {
      'content-type': 'application/json',
      'x-gitlab-meta': '{"correlation_id":"01K","version":"1"}',
      etag,
      ...answer.headers,
    });
    response.end(same ? undefined : body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  const token = (user: string, scopes: string[] = ['api']): string => {
    const value = `glpat-${user}-${state.tokens.size + 1}-${'x'.repeat(12)}`;
    state.tokens.set(value, { user, scopes, state: 'active' });
    return value;
  };
  const project = (path: string) => {
    const found = state.projects.find((candidate) => candidate.path === path);
    if (found === undefined) throw new Error(`The stand-in has no project ${path}.`);
    return found;
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    site,
    state,
    /** What came, as `GET /api/v4/…`; and how often a 304 was the answer. */
    requests,
    unchanged: () => unchanged,
    /** Answers the next request that matches with 403. */
    refuseNext: (line: RegExp) => void refusals.push(line),
    token,
    botToken: token('bot'),
    setToken: (value: string, is: Token['state']) => void (state.tokens.get(value)!.state = is),
    addUser: (name: string) => void state.users.push(name),
    /** A private project with a first commit, where `bot` is a developer; its state may be changed at will. */
    async project(path: string, files: Record<string, string> = {}): Promise<Project> {
      const id = 100 + state.projects.length;
      await site.create(String(id), files);
      const made: Project = {
        id,
        path,
        formerPaths: [],
        archived: false,
        defaultBranch: 'main',
        mergeRequestsEnabled: true,
        mergeMethod: 'merge',
        squashOption: 'default_off',
        mergeLevel: 30,
        approvalsRequired: 0,
        reviewersMax: 10,
        checksLeft: 0,
        members: new Map([
          ['root', 50],
          ['bot', 30],
        ]),
        requests: [],
        labels: new Set(),
        statuses: [],
        issues: [],
      };
      state.projects.push(made);
      return made;
    },
    find: project,
    rename(path: string, to: string): void {
      const found = project(path);
      found.formerPaths.push(found.path);
      found.path = to;
    },
    async remove(path: string): Promise<void> {
      const found = project(path);
      await site.remove(String(found.id));
      state.projects.splice(state.projects.indexOf(found), 1);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await site[Symbol.asyncDispose]();
    },
  };
}

async function forbid(): Promise<never> {
  throw await Promise.resolve(new Refusal(403, { message: '403 Forbidden' }));
}

interface Answer {
  status: number;
  body: unknown;
  headers: Record<string, string>;
}

async function answerApi(
  state: State,
  request: http.IncomingMessage,
  url: URL,
  path: string,
): Promise<Answer> {
  const token = authenticated(
    state,
    bearer(request),
    request.method === 'GET' ? ['api', 'read_api'] : ['api'],
  );
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const input = chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as Input);
  for (const [route, handler] of [...TALK_ROUTES, ...ROUTES]) {
    const [method, pattern = ''] = route.split(' ');
    const match = new RegExp(`^${pattern.replaceAll(/:\w+/g, '([^/]+)')}$`).exec(path);
    if (method !== request.method || match === null) continue;
    const parameters = match.slice(1).map(decodeURIComponent);
    const base = `${url.origin}${state.prefix}`;
    const call = { state, base, url, user: token.user, token, parameters, input, method };
    const body = await handler(call);
    if (body instanceof Refusal) throw body;
    if (Array.isArray(body)) return page(state, url, body);
    return { status: method === 'POST' ? 201 : 200, body, headers: {} };
  }
  throw new Refusal(404, { error: '404 Not Found' });
}

function page(state: State, url: URL, all: unknown[]): Answer {
  const size = Math.min(Number(url.searchParams.get('per_page') ?? 20), state.pageMax);
  const keyset = url.searchParams.get('pagination') === 'keyset';
  const current = Number(url.searchParams.get(keyset ? 'cursor' : 'page') ?? 1);
  const more = current * size < all.length;
  const next = new URL(url);
  next.searchParams.set(keyset ? 'cursor' : 'page', String(current + 1));
  const headers = {
    ...(more ? { link: `<${next.href}>; rel="next"` } : {}),
    ...(keyset ? {} : { 'x-page': String(current), 'x-next-page': more ? String(current + 1) : '' }),
  };
  return { status: 200, body: all.slice((current - 1) * size, current * size), headers };
}

function bearer({ headers }: http.IncomingMessage): string | undefined {
  return headers.authorization?.replace(/^Bearer /, '') ?? (headers['private-token'] as string | undefined);
}

function authenticated(state: State, value: string | undefined, scopes: string[]): Token {
  const token = value === undefined ? undefined : state.tokens.get(value);
  if (token === undefined) throw new Refusal(401, { message: '401 Unauthorized' });
  if (token.state !== 'active') {
    const words = {
      expired: 'Token is expired. You can either do re-authorization or token refresh.',
      revoked: 'Token was revoked. You have to re-authorize from the user.',
    };
    throw new Refusal(401, { error: 'invalid_token', error_description: words[token.state] });
  }
  if (token.scopes.some((scope) => scopes.includes(scope))) return token;
  const told = 'The request requires higher privileges than provided by the access token.';
  throw new Refusal(403, { error: 'insufficient_scope', error_description: told, scope: scopes[0] });
}

// Former paths go on to work for git, as GitLab has it.
function answerGit(
  state: State,
  path: string,
  rest: string,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): void {
  const refuse = (status: number, words: string) =>
    response
      .writeHead(status, { 'www-authenticate': 'Basic realm="GitLab"', 'content-type': 'text/plain' })
      .end(words);
  const [user, password] = Buffer.from(request.headers.authorization?.slice('Basic '.length) ?? '', 'base64')
    .toString()
    .split(':');
  const token = state.tokens.get(password ?? '');
  if (token === undefined || token.state !== 'active' || user === '')
    return void refuse(401, 'HTTP Basic: Access denied.');
  const project = projectOf(state, path);
  const level = project?.members.get(token.user) ?? 0;
  if (project === undefined || level < 20)
    return void refuse(
      404,
      'The project you were looking for could not be found or you don’t have permission to view it.',
    );
  const writes = rest.includes('git-receive-pack');
  const may = level >= 30 && token.scopes.some((scope) => ['api', 'write_repository'].includes(scope));
  if (writes && !may) return void refuse(403, 'You are not allowed to push code to this project.');
  if (writes && project.archived) return void refuse(403, 'You can’t push code to an archived project.');
  state.site.serve(String(project.id), rest, request, response);
}
