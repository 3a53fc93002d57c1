import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { serveHealth } from './health.ts';

test('a worker is healthy while it is registered, and says why it is not', async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const address = `127.0.0.1:${(free.address() as AddressInfo).port}`;
  await new Promise((closed) => free.close(closed));
  const health = await serveHealth(address);
  const ask = async (path = '/health') => {
    const answer = await fetch(`http://${address}${path}`);
    return { status: answer.status, body: await answer.json() };
  };
  assert.deepEqual(await ask(), { status: 503, body: { registered: false, reason: 'starting' } });
  health.tell(true);
  assert.deepEqual(await ask(), { status: 200, body: { registered: true } });
  health.tell(false, 'The token is not known.');
  assert.deepEqual(await ask(), {
    status: 503,
    body: { registered: false, reason: 'The token is not known.' },
  });
  assert.equal((await ask('/')).status, 404);
});
