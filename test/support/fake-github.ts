// A stand-in for GitHub Enterprise Server on loopback: REST v3 as docs.github.com/rest documents it (authentication, Apps,
// pagination, rate limits, conditional requests, redirects, repos, pulls, issues, commits, checks) and one GraphQL mutation,
// over state in memory, with real git over smart HTTP behind it. `await using github = await startFakeGitHub()`.
import { createHash, createVerify, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { REPOSITORY_ROUTES, graphQl } from './fake-github-routes.ts';
import type { Issue, Repository, State, Token } from './fake-github-state.ts';
import { Refusal, nextNumber, ownerOf, rightOf, shownRepository, shownUser } from './fake-github-state.ts';
import { TALK_ROUTES } from './fake-github-talk.ts';
import { gitSite } from './git-site.ts';

const TOKEN_MS = 60 * 60_000;
const HOURLY = 5000;

interface Answer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

export type FakeGitHub = Awaited<ReturnType<typeof startFakeGitHub>>;

/** Starts it; no repository is there yet. */
export async function startFakeGitHub() {
  const site = await gitSite();
  const server = http.createServer((request, response) => void serve(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const state: State = {
    site,
    base: url,
    repositories: [],
    tokens: new Map(),
    apps: new Map(),
    installations: [],
    members: new Map(),
    pageMax: 100,
  };
  const limit = { remaining: HOURLY, reset: Math.floor(Date.now() / 1000) + 3600 };
  const canned: { line: RegExp; answer: Answer }[] = [];
  const requests: string[] = [];
  let unchanged = 0;

  async function serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const address = new URL(request.url!, `http://${request.headers.host}`);
    const line = `${request.method} ${request.url}`;
    requests.push(line);
    const git = /^\/([^/]+\/[^/]+?)\.git(\/(?:info\/refs|git-upload-pack|git-receive-pack))$/.exec(
      address.pathname,
    );
    if (git !== null) return answerGit(state, git[1]!, git[2]! + address.search, request, response);
    const index = canned.findIndex((each) => each.line.test(line));
    const given = index === -1 ? undefined : canned.splice(index, 1)[0]!.answer;
    const answer = given ?? (await answerApi(state, request, address, limit).catch(refused));
    const body = answer.body === undefined ? '' : JSON.stringify(answer.body);
    const etag = `W/"${createHash('sha256').update(body).digest('hex')}"`;
    const isGet = request.method === 'GET' && answer.status === 200;
    const same = isGet && request.headers['if-none-match'] === etag;
    if (same) unchanged += 1;
    else if (given === undefined) limit.remaining = Math.max(0, limit.remaining - 1);
    response.writeHead(same ? 304 : answer.status, {
      'content-type': 'application/json; charset=utf-8',
      'x-github-request-id': String(requests.length),
      'x-github-media-type': 'github.v3; format=json',
      'x-ratelimit-limit': String(HOURLY),
      'x-ratelimit-remaining': String(limit.remaining),
      'x-ratelimit-reset': String(limit.reset),
      ...(isGet ? { etag } : {}),
      ...answer.headers,
    });
    response.end(same ? undefined : body);
  }

  const token = (user: string, permissions: Token['permissions'] = null): string => {
    const value = `github_pat_${user}_${state.tokens.size + 1}_${'x'.repeat(40)}`;
    state.tokens.set(value, { user, state: 'active', permissions });
    return value;
  };
  const find = (path: string): Repository => {
    const found = state.repositories.find((candidate) => candidate.path === path);
    if (found === undefined) throw new Error(`The stand-in has no repository ${path}.`);
    return found;
  };

  return {
    url,
    api: `${url}/api/v3`,
    site,
    state,
    /** The hourly limit of all tokens: what is left, and when it begins anew, in seconds. */
    limit,
    /** What came, as `GET /api/v3/…`; and how often a 304 was the answer. */
    requests,
    unchanged: () => unchanged,
    /** A new token of a user, fine-grained where permissions are given. */
    newToken: token,
    /** Of `bot`, who may write to every repository that is added. */
    token: token('bot'),
    revoke: (value: string) => void (state.tokens.get(value)!.state = 'revoked'),
    /** Answers the next request that matches, as `POST /api/v3/repos/…`, so instead. */
    answerNext: (line: RegExp, answer: Answer) => void canned.push({ line, answer }),
    /** A private repository with a first commit, where `bot` and `ann` may write. */
    async addRepository(path: string, files: Record<string, string> = {}): Promise<Repository> {
      const id = 100 + state.repositories.length;
      await site.create(String(id), files);
      const made: Repository = {
        id,
        path,
        formerPaths: [],
        archived: false,
        defaultBranch: 'main',
        methods: new Set(['merge', 'squash', 'rebase']),
        drafts: true,
        approvalsRequired: 0,
        members: new Map([
          ['bot', 'write'],
          ['ann', 'write'],
        ]),
        teams: ['core'],
        labels: new Set(['bug']),
        pulls: [],
        issues: [],
        statuses: [],
        checkRuns: [],
      };
      state.repositories.push(made);
      return made;
    },
    find,
    addIssue(path: string, issue: Partial<Issue>): Issue {
      const repository = find(path);
      const number = nextNumber(repository);
      const rest = { title: 'An issue', body: null, author: 'ann', labels: [], comments: [] };
      const made: Issue = { number, state: 'open', ...rest, ...issue };
      repository.issues.push(made);
      return made;
    },
    rename(path: string, to: string): void {
      const found = find(path);
      found.formerPaths.push(found.path);
      found.path = to;
    },
    async remove(path: string): Promise<void> {
      const found = find(path);
      await site.remove(String(found.id));
      state.repositories.splice(state.repositories.indexOf(found), 1);
    },
    /** A new App, installed for an account; its id and private key. */
    addApp(
      account: string,
      permissions: Record<string, string> = ALL,
    ): { appId: string; privateKey: string } {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', {
        modulusLength: 2048,
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      });
      const appId = String(4000 + state.apps.size);
      state.apps.set(appId, publicKey);
      state.installations.push({ id: 900 + state.installations.length, app: appId, account, permissions });
      return { appId, privateKey };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await site[Symbol.asyncDispose]();
    },
  };
}

const ALL = {
  contents: 'write',
  pull_requests: 'write',
  checks: 'write',
  issues: 'write',
  metadata: 'read',
};

function refused(error: unknown): Answer {
  if (error instanceof Refusal) return { status: error.status, body: error.body, headers: error.headers };
  return { status: 500, body: { message: `Server Error: ${String(error)}` } };
}

async function answerApi(
  state: State,
  request: http.IncomingMessage,
  url: URL,
  limit: { remaining: number },
): Promise<Answer> {
  const input = await bodyOf(request);
  const path = url.pathname.replace(/^\/api\/v3/, '');
  if (path === '/meta') return { status: 200, body: { installed_version: '3.17.0' } };
  const bearer = request.headers.authorization?.replace(/^(Bearer|token) /, '') ?? '';
  if (bearer.split('.').length === 3)
    return answerApp(state, appOf(state, bearer), `${request.method} ${path}`, url);
  const token = authenticated(state, bearer);
  if (limit.remaining === 0)
    throw new Refusal(403, `API rate limit exceeded for user ID ${token.user.length}.`);
  if (url.pathname === '/api/graphql') return { status: 200, body: graphQl(state, token, input) };
  if (path === '/user/repos' || path === '/installation/repositories') {
    const seen = state.repositories.filter((each) => rightOf(each, token) !== undefined);
    const all = seen.map((each) => shownRepository(state, each, token));
    const { body, headers } = pageOf(state, url, all);
    const wrapped = path === '/user/repos' ? body : { total_count: all.length, repositories: body };
    return { status: 200, body: wrapped, headers };
  }
  const [, organisation, slug] = /^\/orgs\/([^/]+)\/teams\/([^/]+)\/members$/.exec(path) ?? [];
  if (organisation !== undefined) {
    const members = state.members.get(`${organisation}/${slug}`);
    if (members === undefined) throw new Refusal(404, 'Not Found');
    return { status: 200, ...pageOf(state, url, members.map(shownUser)) };
  }
  return await answerRepository(state, token, request.method ?? '', url, path, input);
}

async function answerRepository(
  state: State,
  token: Token,
  method: string,
  url: URL,
  path: string,
  input: Record<string, unknown>,
): Promise<Answer> {
  const [, id, named, rest = ''] =
    /^\/(?:repositories\/(\d+)|repos\/([^/]+\/[^/]+))(\/.*)?$/.exec(path) ?? [];
  const name = named === undefined ? undefined : decodeURIComponent(named);
  const repository = state.repositories.find((each) =>
    id === undefined ? [each.path, ...each.formerPaths].includes(name ?? '') : String(each.id) === id,
  );
  if (repository === undefined || rightOf(repository, token) === undefined)
    throw new Refusal(404, 'Not Found');
  if (id === undefined && repository.path !== name) {
    const location = `${url.origin}/api/v3/repositories/${repository.id}${rest}${url.search}`;
    throw new Refusal(method === 'GET' ? 301 : 307, 'Moved Permanently', { headers: { location } });
  }
  for (const [route, handler] of [...TALK_ROUTES, ...REPOSITORY_ROUTES]) {
    const [wanted, pattern = ''] = route.split(' ');
    const match = new RegExp(`^${pattern.replaceAll(/:\w+/g, '([^/]+)')}$`).exec(rest);
    if (wanted !== method || match === null) continue;
    const parameters = match.slice(1);
    const body = await handler({ state, url, token, repository, parameters, input });
    if (Array.isArray(body) && method === 'GET') return { status: 200, ...pageOf(state, url, body) };
    return { status: method === 'POST' && !rest.endsWith('/labels') ? 201 : 200, body };
  }
  throw new Refusal(404, 'Not Found');
}

// What an App may ask by its own note, without an installation's token.
function answerApp(state: State, app: string, line: string, url: URL): Answer {
  const mine = state.installations.filter((each) => each.app === app);
  const shown = ({ id, account, permissions }: State['installations'][number]) => ({
    id,
    account: shownUser(account),
    permissions,
  });
  if (line === 'GET /app/installations') return { status: 200, ...pageOf(state, url, mine.map(shown)) };
  const [, organisation] = /^GET \/orgs\/([^/]+)\/installation$/.exec(line) ?? [];
  const of = mine.find(({ account }) => account === organisation);
  if (of !== undefined) return { status: 200, body: shown(of) };
  const [, path] = /^GET \/repos\/([^/]+\/[^/]+)\/installation$/.exec(line) ?? [];
  if (path !== undefined) {
    const known = state.repositories.some((each) => [each.path, ...each.formerPaths].includes(path));
    const found = known ? mine.find(({ account }) => account === ownerOf(path)) : undefined;
    if (found === undefined) throw new Refusal(404, 'Not Found');
    return { status: 200, body: shown(found) };
  }
  const [, id] = /^POST \/app\/installations\/(\d+)\/access_tokens$/.exec(line) ?? [];
  const installation = mine.find((each) => String(each.id) === id);
  if (installation === undefined) throw new Refusal(404, 'Not Found');
  const value = `ghs_${state.tokens.size + 1}_${'x'.repeat(36)}`;
  const endsAt = Date.now() + TOKEN_MS;
  const { permissions } = installation;
  state.tokens.set(value, { user: 'autocode[bot]', state: 'active', permissions, installation, endsAt });
  const body = { token: value, expires_at: new Date(endsAt).toISOString(), permissions };
  return { status: 201, body };
}

// Checks the note's signature and its time, as GitHub does.
function appOf(state: State, note: string): string {
  const [head = '', claims = '', signature = ''] = note.split('.');
  const { iss, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, number>;
  const key = state.apps.get(String(iss));
  const now = Date.now() / 1000;
  const signed = createVerify('RSA-SHA256').update(`${head}.${claims}`);
  if (key === undefined || !signed.verify(key, signature, 'base64url'))
    throw new Refusal(401, 'A JSON web token could not be decoded');
  if (iat! > now || exp! > now + 600 || exp! < now)
    throw new Refusal(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time",
    );
  return String(iss);
}

function authenticated({ tokens }: State, value: string): Token {
  const token = tokens.get(value);
  const isOver = token?.endsAt !== undefined && token.endsAt < Date.now();
  if (token === undefined || token.state !== 'active' || isOver) throw new Refusal(401, 'Bad credentials');
  return token;
}

async function bodyOf(request: http.IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>);
}

function pageOf(
  { pageMax }: State,
  url: URL,
  all: unknown[],
): { body: unknown[]; headers: Record<string, string> } {
  const size = Math.min(Number(url.searchParams.get('per_page') ?? 30), pageMax);
  const page = Number(url.searchParams.get('page') ?? 1);
  const to = (number: number) => {
    const next = new URL(url);
    next.searchParams.set('page', String(number));
    return next.href;
  };
  const last = Math.max(1, Math.ceil(all.length / size));
  const links = [
    ...(page > 1 ? [`<${to(page - 1)}>; rel="prev"`] : []),
    ...(page < last ? [`<${to(page + 1)}>; rel="next"`, `<${to(last)}>; rel="last"`] : []),
  ];
  return {
    body: all.slice((page - 1) * size, page * size),
    headers: links.length === 0 ? {} : { link: links.join(', ') },
  };
}

// A former path leads to the repository's own, which git follows.
function answerGit(
  state: State,
  path: string,
  rest: string,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): void {
  const refuse = (status: number, words: string) =>
    response.writeHead(status, { 'www-authenticate': 'Basic realm="GitHub"' }).end(words);
  const basic = Buffer.from(request.headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString();
  const token = state.tokens.get(basic.slice(basic.indexOf(':') + 1));
  const isOver = token?.endsAt !== undefined && token.endsAt < Date.now();
  if (token === undefined || token.state !== 'active' || isOver)
    return void refuse(401, 'Invalid username or token.');
  const repository = state.repositories.find((each) => [each.path, ...each.formerPaths].includes(path));
  const right = repository === undefined ? undefined : rightOf(repository, token);
  if (repository === undefined || right === undefined) return void refuse(404, 'Repository not found.');
  if (repository.path !== path)
    return void response.writeHead(301, { location: `/${repository.path}.git${rest}` }).end();
  const contents = token.permissions === null ? right : token.permissions.contents;
  if (rest.includes('git-receive-pack') && (right !== 'write' || contents !== 'write'))
    return void refuse(403, `Permission to ${path}.git denied to ${token.user}.`);
  state.site.serve(String(repository.id), rest, request, response);
}
