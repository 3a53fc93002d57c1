// Money over the API: who may, what is refused, what comes back.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { transaction } from '../../db/connect.ts';
import { writeCharges } from '../../budget/charge.ts';
import { BOOKS, charge } from '../../budget/testing/books.ts';
import { testApi } from '../testing.ts';

test('budgets are set in any currency that has a rate, by admins, and shown with what is spent', async () => {
  await using api = await testApi(['budget.exchangeRates={EUR: 1.25}']);
  const daily = { scope: 'project', subject: 'shop', period: 'day', unit: 'money', amount: 8_000_000 };
  assert.equal((await api.send('operator', 'PUT', '/api/v1/budgets', daily)).status, 403);
  const set = await api.send('admin', 'PUT', '/api/v1/budgets', { ...daily, currency: 'EUR' });
  assert.equal(set.status, 200, set.text);
  assert.equal(set.body[0].amount, 10_000_000);
  const unknown = await api.send('admin', 'PUT', '/api/v1/budgets', { ...daily, currency: 'JPY' });
  assert.match(unknown.text, /no exchange rate of JPY is configured/);
  for (const wrong of [
    { ...daily, scope: 'appliance' },
    { ...daily, subject: '' },
    { ...daily, amount: -1 },
    { ...daily, amount: 1.5 },
    { ...daily, period: 'year' },
  ]) {
    assert.equal(
      (await api.send('admin', 'PUT', '/api/v1/budgets', wrong)).status,
      400,
      JSON.stringify(wrong),
    );
  }
  await transaction(api.db.pool, async (tx) => await writeCharges(tx, [charge({ money: 2_500_000 })], BOOKS));
  const [budget] = (await api.send('viewer', 'GET', '/api/v1/budgets')).body;
  assert.deepEqual([budget.spent, budget.amount], [2_500_000, 10_000_000]);
  assert.deepEqual((await api.send('admin', 'DELETE', `/api/v1/budgets/${budget.id}`)).body, []);
  assert.equal((await api.send('admin', 'DELETE', `/api/v1/budgets/${budget.id}`)).status, 404);
});

test('usage is reported by any key, and a period that is none is refused', async () => {
  await using api = await testApi();
  await transaction(
    api.db.pool,
    async (tx) =>
      await writeCharges(
        tx,
        [charge(), charge({ model: 'vllm/large', money: 5_000, cause: 'retry' })],
        BOOKS,
      ),
  );
  const report = (await api.send('viewer', 'GET', '/api/v1/usage?by=model')).body;
  assert.deepEqual(
    report.rows.map((row: { key: string; money: number; platformMoney: number }) => [
      row.key,
      row.money,
      row.platformMoney,
    ]),
    [
      ['vllm/large', 5_000, 5_000],
      ['vllm/qwen', 1_000, 0],
    ],
  );
  assert.equal(report.total.money, 6_000);
  assert.equal(report.previous.total.money, 0);
  for (const by of ['project', 'task', 'agent', 'worker', 'person', 'day'])
    assert.equal((await api.send('viewer', 'GET', `/api/v1/usage?by=${by}`)).body.rows.length, 1, by);
  const backwards = await api.send('viewer', 'GET', '/api/v1/usage?from=2026-02-02&to=2026-02-01');
  assert.match(backwards.text, /is before/);
  assert.match(
    (await api.send('viewer', 'GET', '/api/v1/usage?from=2999-01-01')).text,
    /is before 2999-01-01/,
  );
  assert.match(
    (await api.send('viewer', 'GET', '/api/v1/usage?from=1900-01-01')).text,
    /more than 3700 days/,
  );
  assert.equal((await api.send('viewer', 'GET', '/api/v1/usage?project=none')).status, 404);
  assert.equal((await api.send('viewer', 'GET', '/api/v1/usage?from=2026-02-30')).status, 400);
});

test('a price in another currency is converted and says so; an entry that is sent twice is one', async () => {
  await using api = await testApi(['budget.exchangeRates={EUR: 1.25}']);
  const price = { model: 'a/b', price: { input: 2, cached: 0.2, output: 8 }, currency: 'EUR' };
  const [set] = (await api.send('admin', 'POST', '/api/v1/prices', [price])).body;
  assert.deepEqual(
    [set.price, set.current, set.source],
    [{ input: 2.5, cached: 0.25, output: 10 }, true, 'set by hand, in EUR at 1.25'],
  );
  const id = randomUUID();
  const entry = { id, kind: 'purchase', debit: 'engine:a', credit: 'card:42', amount: 7, memo: 'invoice' };
  for (let times = 0; times < 2; times++)
    assert.equal((await api.send('admin', 'POST', '/api/v1/ledger', entry)).body.seq, 1);
  assert.equal((await api.send('viewer', 'GET', '/api/v1/ledger')).body.length, 1);
  assert.deepEqual(
    { ...(await api.send('viewer', 'GET', '/api/v1/ledger/verification')).body, hash: '' },
    { entries: 1, hash: '', wrong: null },
  );
  const usage = { ...entry, id: randomUUID(), kind: 'usage' };
  assert.equal((await api.send('admin', 'POST', '/api/v1/ledger', usage)).status, 400);
});
