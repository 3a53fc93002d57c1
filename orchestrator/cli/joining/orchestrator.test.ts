// The machine's side of joining against a server that plays the orchestrator, over real TLS.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PROTOCOL_VERSION } from '../../../protocol/version.ts';
import { ownIdentity } from '../../tls/authority.ts';
import { fingerprintOf } from '../../tls/identity.ts';
import { exchange, fetchAuthority } from './orchestrator.ts';

const KEY = 'k'.repeat(43);
const INPUT = { protocol: PROTOCOL_VERSION, version: '1', secret: KEY, machine: KEY, name: 'vm' };
const JOINED = { worker: 'vm', token: 't', installation: '01234567-89ab-4def-8123-456789abcdef' };

/** Serves one answer over TLS, and counts the requests that came. */
async function serving(
  answer: (response: ServerResponse, authority: string) => void,
): Promise<{ url: string; authority: string; asked: string[]; [Symbol.asyncDispose](): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-join-'));
  const { certificate, key, authority } = await ownIdentity(directory, ['127.0.0.1'], new Date());
  const asked: string[] = [];
  const server = createServer({ cert: certificate, key }, (request, response) => {
    asked.push(request.url ?? '');
    request.resume();
    answer(response, authority);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    authority,
    asked,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      rmSync(directory, { recursive: true });
    },
  };
}

test('the authority is taken when it is the wanted one, and refused whatever else comes', async () => {
  await using there = await serving((response, authority) =>
    response.end(JSON.stringify({ certificate: authority })),
  );
  const { url, authority } = there;
  assert.equal(await fetchAuthority(url, fingerprintOf(authority)), authority);
  await assert.rejects(
    async () => await fetchAuthority(url, 'ab'.repeat(32)),
    /is not the one of the invitation/,
  );
  await using strange = await serving((response) => response.end(JSON.stringify({ certificate: 'x' })));
  await assert.rejects(async () => await fetchAuthority(strange.url, 'ab'.repeat(32)), /its SHA-256 is none/);
  await using other = await serving((response) => response.end('<html>'));
  await assert.rejects(
    async () => await fetchAuthority(other.url, 'ab'.repeat(32)),
    /is not an orchestrator of this version/,
  );
});

test('the secret goes to nobody whom the authority does not vouch for', async () => {
  await using wanted = await serving(() => {});
  await using between = await serving((response) => response.end(JSON.stringify(JOINED)));
  await assert.rejects(
    async () => await exchange(between.url, wanted.authority, INPUT),
    /not signed by the authority/,
  );
  assert.deepEqual(between.asked, []);
});

test('a clock that is far off is told, one that is nearly right is not', async () => {
  for (const [offMs, least] of [
    [0, 0],
    [-10 * 60_000, 9 * 60_000],
  ] as const) {
    await using there = await serving((response) => {
      response.setHeader('date', new Date(Date.now() + offMs).toUTCString());
      response.end(JSON.stringify(JOINED));
    });
    const { joined, skewMs } = await exchange(there.url, there.authority, INPUT);
    assert.deepEqual(joined, JOINED);
    assert.ok(least === 0 ? skewMs === 0 : skewMs > least, String(skewMs));
  }
});
