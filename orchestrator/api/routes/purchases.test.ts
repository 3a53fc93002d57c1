import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testApi, type TestApi } from '../testing.ts';

let api: TestApi;
before(async () => (api = await testApi()));
after(async () => await api[Symbol.asyncDispose]());

const PURCHASES = '/api/v1/purchases';
const order = {
  url: 'https://pay.example/v1/orders?x=1',
  body: '{"card": "{{card.number}}"}',
  amount: 12_000_000,
  memo: 'a domain',
};

test('operators propose what has an address and a place for the card; admins decide, once', async () => {
  const { status, body } = await api.send('operator', 'POST', PURCHASES, order);
  assert.deepEqual([status, body.state, body.contentType], [200, 'proposed', 'application/json']);
  for (const [wrong, message] of [
    [{ url: 'http://pay.example/' }, /no address of a payee/],
    [{ url: 'https://me@pay.example/' }, /no address of a payee/],
    [{ body: '{}' }, /no place for a card/],
    [{ body: '{{card.pin}}' }, /There is no \{\{card\.pin\}\}/],
    [{ amount: 0 }, /amount/],
  ] as const) {
    const answer = await api.send('operator', 'POST', PURCHASES, { ...order, ...wrong });
    assert.equal(answer.status, 400);
    assert.match(answer.text, message);
  }
  const one = `${PURCHASES}/${body.id}`;
  assert.equal((await api.send('operator', 'POST', `${one}/approve`)).status, 403);
  assert.equal((await api.send('admin', 'POST', `${one}/resolve`, { paid: true })).status, 409);
  const rejected = await api.send('admin', 'POST', `${one}/reject`);
  assert.equal(rejected.body.state, 'rejected');
  assert.equal((await api.send('admin', 'POST', `${one}/reject`)).status, 409);
  const list = await api.send('operator', 'GET', `${PURCHASES}?state=rejected`);
  assert.deepEqual(
    list.body.map(({ id }: { id: number }) => id),
    [body.id],
  );
});
