// What both sides say when TLS between worker and orchestrator does not come about: the worker's client against the
// orchestrator's listener.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import tls from 'node:tls';
import { z } from 'zod';
import type { Identity } from '../../orchestrator/tls/authority.ts';
import { ownIdentity } from '../../orchestrator/tls/authority.ts';
import { listenSecurely } from '../../orchestrator/tls/listener.ts';
import { apiClient } from '../../worker-agent/api-client.ts';

const root = mkdtempSync(join(tmpdir(), 'autocode-tls-'));
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
  rmSync(root, { recursive: true });
});
const DAY_MS = 86_400_000;
const NAMES = ['127.0.0.1'];
const at = async (days: number, names = NAMES) =>
  await ownIdentity(mkdtempSync(join(root, 'd-')), names, new Date(Date.now() + days * DAY_MS));

async function serve(identity: Identity | null): Promise<string> {
  const answer = (_request: unknown, response: { end(text: string): void }) => response.end('{}');
  const server =
    identity === null
      ? createServer(answer)
      : createSecureServer({ cert: identity.certificate, key: identity.key }, answer);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function ask(url: string, ca?: string): Promise<unknown> {
  const api = apiClient({ url, token: 't', ca });
  return await api({ method: 'GET', path: '/health', answer: z.unknown() });
}

test('a worker takes the certificate of its own authority, and tells why it takes another not', async () => {
  const identity = await at(0);
  assert.deepEqual(await ask(await serve(identity), identity.authority), {});
  const old = await at(-100);
  const young = await at(10);
  const table: [what: string, url: string, ca: string | undefined, words: RegExp, remedy: RegExp][] = [
    ['another authority', await serve(await at(0)), identity.authority, /not signed by/, /worker invite/],
    ['no authority', await serve(identity), undefined, /not signed by/, /worker invite/],
    [
      'another name',
      (await serve(identity)).replace('127.0.0.1', 'localhost'),
      identity.authority,
      /other names/,
      /tls\.names/,
    ],
    [
      'expired',
      await serve(old),
      old.authority,
      /has expired by this machine's clock \(2/,
      /Compare the clocks/,
    ],
    [
      'not yet valid',
      await serve(young),
      young.authority,
      /not yet valid by this machine's/,
      /Compare the clocks/,
    ],
    ['no TLS', await serve(null), identity.authority, /does not speak TLS/, /tls\.port/],
  ];
  for (const [what, url, ca, words, remedy] of table) {
    await assert.rejects(
      async () => await ask(url, ca),
      (error: Error & { code: string; remedy: string }) => {
        assert.equal(error.code, 'ERR_TLS', `${what}: ${error.message}`);
        assert.match(error.message, words, what);
        assert.match(error.remedy, remedy, what);
        return true;
      },
    );
  }
});

test('the orchestrator tells who could not get in and why, once a minute; TLS 1.2 is the least', async () => {
  const identity = await at(0);
  const warnings: string[] = [];
  const listener = await listenSecurely({
    place: async (listen) => await listen('127.0.0.1', 0),
    identity: { current: () => identity, onChange: () => {}, stop: () => {} },
    handle: (_request, response) => void response.end('{}'),
    warn: (message) => void warnings.push(message),
  });
  const url = `https://127.0.0.1:${listener.port}`;
  const connect = async (options: tls.ConnectionOptions) => {
    const socket = tls.connect({
      port: listener.port,
      host: '127.0.0.1',
      ca: identity.authority,
      ...options,
    });
    const outcome = once(socket, 'secureConnect').then(
      () => socket.getProtocol(),
      () => 'refused',
    );
    return await outcome.finally(() => socket.destroy());
  };
  try {
    assert.deepEqual(await ask(url, identity.authority), {});
    assert.equal(await connect({ maxVersion: 'TLSv1.2' }), 'TLSv1.2');
    const ciphers = 'DEFAULT:@SECLEVEL=0';
    assert.equal(await connect({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers }), 'refused');
    for (let i = 0; i < 2; i++) await assert.rejects(async () => await ask(url.replace('https', 'http')));
    assert.equal(warnings.filter((words) => words.includes('has to begin with https://')).length, 1);
    assert.ok(
      warnings.some((words) => words.includes('TLS 1.1 or older')),
      warnings.join('\n'),
    );
  } finally {
    await listener.stop(0);
  }
});

test('a listener that stops lets what is under way end, and cuts what does not', async () => {
  const identity = await at(0);
  const listener = await listenSecurely({
    place: async (listen) => await listen('127.0.0.1', 0),
    identity: { current: () => identity, onChange: () => {}, stop: () => {} },
    handle: (_request, response) => response.flushHeaders(), // without end
    warn: () => {},
  });
  const asked = ask(`https://127.0.0.1:${listener.port}`, identity.authority);
  const refused = assert.rejects(asked);
  await listener.stop(50);
  await refused;
});
