// The client against a real HTTP server: answers, refusals, and servers that are away, slow or somebody else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { z } from 'zod';
import { apiClient, isAway, untilAnswered } from './api-client.ts';

const Answer = z.object({ ok: z.boolean() });

async function withServer(listener: RequestListener, use: (url: string) => Promise<void>): Promise<void> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const get = async (url: string, timeoutMs = 5_000) =>
  await apiClient({ url, token: 'secret' })({ method: 'GET', path: '/x', answer: Answer, timeoutMs });

test('the token and the body arrive, the answer is typed', async () => {
  const listener: RequestListener = (request, response) => {
    assert.equal(request.headers.authorization, 'Bearer secret');
    assert.equal(request.url, '/api/v1/x');
    request.resume().on('end', () => response.end('{"ok":true}'));
  };
  await withServer(listener, async (url) => {
    const call = { method: 'POST' as const, path: '/x', json: { a: 1 }, answer: Answer };
    assert.deepEqual(await apiClient({ url, token: 'secret' })(call), { ok: true });
  });
});

test('a refusal keeps its code; only what may pass by itself counts as away', async () => {
  const cases = [
    {
      status: 409,
      body: { error: { code: 'ERR_STALE_FENCE', message: 'no' } },
      code: 'ERR_STALE_FENCE',
      away: false,
    },
    {
      status: 503,
      body: { error: { code: 'ERR_DATABASE', message: 'no' } },
      code: 'ERR_DATABASE',
      away: true,
    },
    {
      status: 429,
      body: { error: { code: 'ERR_RATE_LIMITED', message: 'no' } },
      code: 'ERR_RATE_LIMITED',
      away: true,
    },
    { status: 502, body: 'Bad Gateway', code: 'ERR_DAEMON_NOT_RUNNING', away: true },
    { status: 401, body: 'Unauthorized', code: 'ERR_UNAUTHENTICATED', away: false },
    { status: 200, body: '<html>', code: 'ERR_DAEMON_NOT_RUNNING', away: true },
  ];
  for (const { status, body, code, away } of cases) {
    const listener: RequestListener = (_request, response) => {
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    await withServer(listener, async (url) => {
      await assert.rejects(
        get(url),
        (error: Error & { code: string }) => error.code === code && isAway(error) === away,
        code,
      );
    });
  }
});

test('a server that does not answer, or not to the end, is away', async () => {
  await withServer(
    () => {},
    async (url) => {
      await assert.rejects(get(url, 100), {
        code: 'ERR_DAEMON_NOT_RUNNING',
        message: /nothing within 0.1 s/,
      });
    },
  );
  const half: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{"ok"', () => response.destroy());
  };
  await withServer(half, async (url) => {
    await assert.rejects(get(url), { code: 'ERR_DAEMON_NOT_RUNNING' });
  });
});

test('a call is repeated until it is answered, and no longer than the signal allows', async () => {
  let calls = 0;
  const listener: RequestListener = (_request, response) => {
    calls += 1;
    if (calls < 3) response.destroy();
    else response.end('{"ok":true}');
  };
  await withServer(listener, async (url) => {
    assert.deepEqual(await untilAnswered(async () => await get(url), AbortSignal.timeout(10_000)), {
      ok: true,
    });
  });
  const stopped = AbortSignal.timeout(200);
  await assert.rejects(
    untilAnswered(async () => await get('http://127.0.0.1:9'), stopped),
    () => stopped.aborted,
  );
});
