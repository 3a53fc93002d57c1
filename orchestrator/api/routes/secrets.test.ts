import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { testApi, type TestApi } from '../testing.ts';

let api: TestApi;
before(async () => (api = await testApi()));
after(async () => await api[Symbol.asyncDispose]());

const path = '/api/v1/secrets/payments%2Fcard_primary';

test('a value goes in and is shown by one route alone, which leaves an event without it', async () => {
  const written = await api.send('admin', 'PUT', path, { value: 'card-0815-x' });
  assert.deepEqual([written.status, written.body.version, written.body.notice], [200, 1, null]);
  await api.send('admin', 'PUT', path, { value: 'card-0815-y', expectedVersion: 1 });
  const stale = await api.send('admin', 'PUT', path, { value: 'card-0815-z', expectedVersion: 1 });
  assert.deepEqual([stale.status, stale.body.error.code], [409, 'ERR_CONFLICT']);

  const history = await api.send('admin', 'GET', `${path}/history`);
  assert.deepEqual(
    history.body.map(({ name, version }: { name: string; version: number }) => [name, version]),
    [
      ['payments/card_primary', 2],
      ['payments/card_primary', 1],
    ],
  );
  const list = await api.send('admin', 'GET', '/api/v1/secrets');
  assert.ok(!`${history.text}${list.text}`.includes('0815'));

  const revealed = await api.send('admin', 'POST', `${path}/reveal`);
  assert.deepEqual(revealed.body, { name: 'payments/card_primary', version: 2, value: 'card-0815-y' });
  // Events are shown when no transaction from before them is open, also of others on this server.
  const told = async () => await api.send('viewer', 'GET', '/api/v1/events?kind=secret.revealed');
  let events = await told();
  for (let looks = 0; events.text === '[]' && looks < 200; looks++) {
    await delay(50);
    events = await told();
  }
  assert.match(events.text, /"name":"payments\/card_primary","version":2/);
  assert.ok(!events.text.includes('0815'));
});

test('who writes a word is told that it cannot be taken out by its value', async () => {
  const { status, body } = await api.send('admin', 'PUT', '/api/v1/secrets/word', { value: 'x' });
  assert.equal(status, 200);
  assert.match(body.notice, /less than 8 characters/);
});

test('what is not there and what is Autocode’s own is not shown', async () => {
  assert.equal((await api.send('admin', 'GET', '/api/v1/secrets/none/history')).status, 404);
  assert.equal((await api.send('admin', 'POST', '/api/v1/secrets/none/reveal')).status, 404);
  for (const own of ['server-key', 'prompts-key'])
    assert.equal((await api.send('admin', 'POST', `/api/v1/secrets/${own}/reveal`)).status, 403, own);
  assert.equal((await api.send('admin', 'GET', '/api/v1/secrets/a%2F..%2Fb/history')).status, 400);
});
