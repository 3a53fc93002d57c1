// What the API tells of a run's money, and to whom.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transaction } from '../../db/connect.ts';
import { writeCharges } from '../../budget/charge.ts';
import { BOOKS, charge } from '../../budget/testing/books.ts';
import { aRun } from '../../tasks/testing/work.ts';
import { testApi } from '../testing.ts';

test('a run and those who may read see its budget; what its agent counts is kept beside the ledger', async () => {
  await using api = await testApi();
  const order = await aRun(api.db.pool);
  const { run, runToken } = order;
  const own = { authorization: `Bearer ${runToken}` };
  const payers = { appliance: '' as const, project: 'p', run, task: String(order.task.id) };
  await transaction(
    api.db.pool,
    async (tx) => await writeCharges(tx, [charge({ payers, money: 6_000_000 })], BOOKS),
  );
  const budget = { scope: 'project', subject: 'p', period: 'day', unit: 'money', amount: 5_000_000 };
  await api.send('admin', 'PUT', '/api/v1/budgets', budget);

  const seen = await api.send('viewer', 'GET', `/api/v1/runs/${run}/budget`);
  const itself = await api.send(null, 'GET', `/api/v1/runs/${run}/budget`, undefined, own);
  assert.equal(itself.status, 200, itself.text);
  assert.deepEqual(itself.body, seen.body);
  assert.deepEqual(
    [seen.body.ok, seen.body.spent.money, seen.body.budgets[0].left],
    [false, 6_000_000, -1_000_000],
  );
  assert.match(seen.body.reason, /project p \(5\.00 USD a day\) is used up/);
  assert.equal((await api.send(null, 'GET', '/api/v1/runs/77-1/budget', undefined, own)).status, 403);
  assert.equal((await api.send('viewer', 'GET', '/api/v1/runs/77-1/budget')).status, 404);

  const agentTokens = { inputTokens: 90, cachedTokens: 0, outputTokens: 9 };
  const tell = async (path: string, body: object) =>
    await api.send(null, 'POST', `/api/v1/runs/${run}/${path}`, { fence: order.fence, ...body }, own);
  assert.equal((await tell('progress', { agentTokens })).status, 200);
  await tell('progress', { iterations: 1 });
  assert.deepEqual((await api.send('viewer', 'GET', `/api/v1/runs/${run}`)).body.agentTokens, agentTokens);
  const more = { ...agentTokens, outputTokens: 12 };
  const ended = await tell('finish', { outcome: 'no-change', agentTokens: more });
  assert.deepEqual(ended.body.agentTokens, more);
  assert.equal(
    (await tell('progress', { agentTokens: { ...more, inputTokens: -1 } })).body.error.code,
    'ERR_INVALID_INPUT',
  );
});
