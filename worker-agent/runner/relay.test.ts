// The relay against a real gateway stand-in: what it lets through, what it adds, what it survives.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http, { type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { allowedPath, startRelay } from './relay.ts';

async function withRelay(
  gateway: RequestListener,
  use: (parts: { url: string; socket: string; server: http.Server; port: number }) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-relay-'));
  const server = http.createServer(gateway).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = path.join(directory, 'gateway.sock');
  const relay = await startRelay({
    gatewayUrl: `http://127.0.0.1:${port}`,
    gatewayKey: 'the-key',
    socket,
    patienceMs: 5_000,
  });
  try {
    await use({ url: relay.url, socket, server, port });
  } finally {
    await relay.close();
    server.close();
    server.closeAllConnections();
    rmSync(directory, { recursive: true });
  }
}

test('the key is added, the one that the agent sent is not passed on, and the answer streams', async () => {
  const gateway: RequestListener = (request, response) => {
    response.write(
      `${request.method} ${request.url} ${request.headers.authorization} ${String(request.headers['x-api-key'])}\n`,
    );
    request.pipe(response);
  };
  await withRelay(gateway, async ({ url, socket }) => {
    const options = {
      method: 'POST',
      body: 'hello',
      headers: { authorization: 'Bearer mine', 'x-api-key': 'mine' },
    };
    assert.equal(
      await (await fetch(`${url}/v1/messages?beta=1`, options)).text(),
      'POST /v1/messages?beta=1 Bearer the-key undefined\nhello',
    );
    const request = http.get({ socketPath: socket, path: '/v1/models' });
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    assert.equal(answer.statusCode, 200);
    answer.resume();
  });
});

test('only /v1/* is served, and on the port only with the secret path', async () => {
  for (const url of [
    '/',
    '/v1',
    '/v2/x',
    '/v1/../admin',
    '/v1/%2e%2e/admin',
    '/v1/..%2fadmin',
    '//evil/v1/x',
  ])
    assert.equal(allowedPath('', url), null, url);
  assert.equal(allowedPath('/s', '/s/v1/models?x=1'), '/v1/models?x=1');
  await withRelay(assert.fail, async ({ url }) => {
    assert.equal((await fetch(new URL('/v1/models', url))).status, 404);
    assert.equal((await fetch(`${url}/api/v1/status`)).status, 404);
  });
});

test('a gateway that is away for a moment is waited for', async () => {
  await withRelay(
    (_request, response) => response.end('back'),
    async ({ url, server, port }) => {
      server.close();
      server.closeAllConnections();
      const asked = fetch(`${url}/v1/models`);
      const again = http.createServer((_request, response) => response.end('back'));
      setTimeout(() => again.listen(port, '127.0.0.1'), 300);
      assert.equal(await (await asked).text(), 'back');
      again.close();
      again.closeAllConnections();
    },
  );
});

test('an agent that goes away takes its question back, and a cut answer is not a whole one', async () => {
  const gone = Promise.withResolvers<void>();
  const gateway: RequestListener = (request, response) => {
    response.write('begun');
    if (request.url === '/v1/cut') setTimeout(() => response.destroy(), 50);
    else response.once('close', gone.resolve);
  };
  await withRelay(gateway, async ({ url }) => {
    const stop = new AbortController();
    const answer = await fetch(`${url}/v1/slow`, { signal: stop.signal });
    stop.abort();
    await gone.promise;
    await assert.rejects(answer.text());
    const cut = await fetch(`${url}/v1/cut`);
    await assert.rejects(cut.text());
  });
});
