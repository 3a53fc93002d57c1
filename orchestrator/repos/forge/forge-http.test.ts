import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { z } from 'zod';
import { forgeApi } from './forge-http.ts';
import type { ApiServer, Method } from './forge-http.ts';

type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | 'reset';

// A far side that gives these answers, one a request, then 200 for ever.
async function far(...answers: Answer[]) {
  return await farServer({}, answers);
}

async function farServer(more: Partial<ApiServer>, answers: Answer[]) {
  const requests: {
    method: string;
    url: string;
    authorization: string | undefined;
    etag: string | undefined;
    at: number;
  }[] = [];
  const server = http.createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    requests.push({
      method,
      url,
      authorization: headers.authorization,
      etag: headers['if-none-match'],
      at: Date.now(),
    });
    const answer = answers.shift() ?? { status: 200, body: { ok: true } };
    if (answer === 'reset') return void request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    requests,
    api: forgeApi({
      name: 'work',
      api: `${url}/api`,
      product: 'Gitea',
      rights: 'the right scopes',
      headers: async () => await Promise.resolve({ authorization: 'token t0ken' }),
      ...more,
    }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const answer = z.object({ ok: z.boolean() });

test('a request that may be repeated survives a broken connection and a server error, a POST is sent once', async () => {
  const table: { method: Method; answers: Answer[]; ok: boolean; requests: number }[] = [
    { method: 'GET', answers: ['reset', { status: 502 }], ok: true, requests: 3 },
    { method: 'PATCH', answers: [{ status: 500 }], ok: true, requests: 2 },
    { method: 'GET', answers: [{ status: 503 }, { status: 503 }, { status: 503 }], ok: false, requests: 3 },
    { method: 'POST', answers: ['reset'], ok: false, requests: 1 },
    { method: 'POST', answers: [{ status: 500, body: { message: 'boom' } }], ok: false, requests: 1 },
  ];
  for (const { method, answers, ok, requests } of table) {
    await using side = await far(...answers);
    const asked = side.api.request(method, '/version', { answer });
    if (ok) assert.deepEqual(await asked, { ok: true });
    else await assert.rejects(asked, { code: 'ERR_FORGE_UNAVAILABLE', message: /The forge work at http/ });
    assert.equal(side.requests.length, requests, `${method} ${JSON.stringify(answers)}`);
    assert.equal(side.requests[0]?.authorization, 'token t0ken');
  }
});

test('too many requests: all wait as long as the server says, a POST too; too long a wait is told at once', async () => {
  await using side = await far({ status: 429, headers: { 'retry-after': '1' } });
  const post = side.api.request('POST', '/one', { answer, json: {} });
  await post;
  assert.ok(side.requests[1]!.at - side.requests[0]!.at >= 950);
  await using busy = await far({ status: 429, headers: { 'retry-after': '3600' } });
  const message = /allows no more requests for 3600 s/;
  await assert.rejects(busy.api.request('GET', '/one', { answer }), {
    code: 'ERR_FORGE_UNAVAILABLE',
    message,
  });
  await assert.rejects(busy.api.request('GET', '/two', { answer }), { code: 'ERR_FORGE_UNAVAILABLE' });
  assert.equal(busy.requests.length, 1);
});

test("GitHub's limits: the hourly one by its reset and its own clock, the secondary ones by their words", async () => {
  const hour = {
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': '1000060',
    date: new Date(1_000_000_000).toUTCString(),
  };
  const table: { first: Answer; fails: boolean; says: RegExp }[] = [
    {
      first: { status: 403, body: { message: 'API rate limit exceeded' }, headers: hour },
      fails: true,
      says: / 60 s/,
    },
    { first: { status: 200, body: { ok: true }, headers: hour }, fails: false, says: / 60 s/ },
    {
      first: { status: 403, body: { message: 'You have exceeded a secondary rate limit.' } },
      fails: true,
      says: / 60 s/,
    },
    { first: { status: 403, headers: { 'retry-after': '90' } }, fails: true, says: / 90 s/ },
    {
      first: {
        status: 429,
        headers: { 'ratelimit-remaining': '0', 'ratelimit-reset': '1000045', date: hour.date },
      },
      fails: true,
      says: / 45 s/,
    },
  ];
  for (const { first, fails, says } of table) {
    await using side = await far(first);
    const told = { code: 'ERR_FORGE_UNAVAILABLE', message: says };
    if (fails) await assert.rejects(side.api.request('POST', '/one', { answer, json: {} }), told);
    else await side.api.request('POST', '/one', { answer, json: {} });
    await assert.rejects(side.api.request('GET', '/two', { answer }), told);
    assert.equal(side.requests.length, 1, JSON.stringify(first));
  }
});

test('a credential that was renewed is tried once more, the same one is not', async () => {
  const tokens = ['old', 'new'];
  const headers = async (renew: boolean) => {
    if (renew && tokens.length > 1) tokens.shift();
    return await Promise.resolve({ authorization: `token ${tokens[0]}` });
  };
  const denied = { status: 401, body: { message: 'Bad credentials' } };
  await using side = await farServer({ headers }, [denied]);
  assert.deepEqual(await side.api.request('POST', '/one', { answer, json: {} }), { ok: true });
  assert.deepEqual(
    side.requests.map(({ authorization }) => authorization),
    ['token old', 'token new'],
  );
  await using other = await farServer({ headers }, [denied]);
  await assert.rejects(other.api.request('GET', '/one', { answer }), { code: 'ERR_FORGE_DENIED' });
  assert.equal(other.requests.length, 1);
});

test('an answer with an ETag is asked for again by it, and taken from before when it has not changed', async () => {
  const headers = { etag: '"v1"' };
  await using side = await far(
    { status: 200, body: { ok: true }, headers },
    { status: 304 },
    { status: 200, body: { ok: false } },
  );
  const asked = [];
  for (let time = 1; time <= 3; time++) asked.push(await side.api.request('GET', '/one?x=1', { answer }));
  assert.deepEqual(asked, [{ ok: true }, { ok: true }, { ok: false }]);
  assert.deepEqual(
    side.requests.map(({ etag }) => etag),
    [undefined, '"v1"', '"v1"'],
  );
});

test('a refusal is told with its code, the words of the forge and what to do, never with the token', async () => {
  const table: [number, string, RegExp][] = [
    [401, 'ERR_FORGE_DENIED', /does not accept the token: because/],
    [403, 'ERR_FORGE_DENIED', /may not GET \/x: because/],
    [404, 'ERR_NOT_FOUND', /has no \/x: because/],
    [410, 'ERR_NOT_FOUND', /has no \/x: because/],
    [409, 'ERR_FORGE_REFUSED', /refused GET \/x \(409\): because/],
    [422, 'ERR_FORGE_REFUSED', /refused GET \/x \(422\): because/],
  ];
  for (const [status, code, message] of table) {
    await using side = await far({ status, body: { message: 'because', url: 'x' } });
    await assert.rejects(side.api.request('GET', '/x', { answer }), (error: Error & { code: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.doesNotMatch(inspect(error, { depth: 10 }), /t0ken/);
      return true;
    });
    assert.equal(side.requests.length, 1);
  }
});

test('a page that is not the API is told as that', async () => {
  await using side = await far({ status: 200, body: 'hello' });
  await assert.rejects(side.api.request('GET', '/x', { answer }), {
    message: /something else than Gitea's API/,
  });
});

test('all pages of a list are read, however short the server makes them', async () => {
  const page = (...numbers: number[]) => ({ status: 200, body: numbers });
  const pages = (number: number) => ({ page: number, limit: 50 });
  await using side = await farServer({ page: pages }, [page(1, 2), page(3), page()]);
  assert.deepEqual(
    await side.api.all('/list', { answer: z.array(z.number()), query: { state: 'all' } }),
    [1, 2, 3],
  );
  assert.equal(side.requests[1]?.url, '/api/list?state=all&page=2&limit=50');
});

test('linked pages are followed at the own address of the forge, whatever host an answer names', async () => {
  const link =
    '<https://evil.test/api/list?page=1>; rel="prev", <https://evil.test/api/list?page=2>; rel="next"';
  await using side = await farServer({ longest: { per_page: 100 } }, [
    { status: 200, body: [1], headers: { link } },
    { status: 200, body: [2] },
  ]);
  assert.deepEqual(await side.api.all('/list', { answer: z.array(z.number()) }), [1, 2]);
  assert.deepEqual(
    side.requests.map(({ url }) => url),
    ['/api/list?per_page=100', '/api/list?page=2'],
  );
});

test('what a forge says is told in whatever form it says it', async () => {
  const table: [unknown, RegExp][] = [
    [
      { message: 'Validation Failed', errors: [{ resource: 'PullRequest', field: 'base', code: 'invalid' }] },
      /: Validation Failed; PullRequest base invalid$/,
    ],
    [
      { message: 'Validation Failed', errors: [{ code: 'custom', message: 'It exists.' }] },
      /: Validation Failed; It exists\.$/,
    ],
    [{ message: ['Another open merge request exists'] }, /\["Another open merge request exists"\]$/],
    [{ error: 'invalid_token', error_description: 'Token is expired.' }, /: Token is expired\.$/],
    ['<html>no</html>', /: Unprocessable Entity$/],
  ];
  for (const [body, message] of table) {
    await using side = await far({ status: 422, body });
    await assert.rejects(side.api.request('GET', '/x', { answer }), { code: 'ERR_FORGE_REFUSED', message });
  }
});

test('a request ends when it is aborted', async () => {
  await using side = await far({ status: 429, headers: { 'retry-after': '15' } });
  const signal = AbortSignal.timeout(100);
  await assert.rejects(side.api.request('GET', '/x', { answer, signal }), { name: /Abort|Timeout/ });
});
