import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { FinishInput } from '../../protocol/run.ts';
import { verifyToken } from '../access/tokens.ts';
import { noteRefusal } from '../budget/refusals.ts';
import { finishRun } from './finish.ts';
import { getRun, getTask } from './queries.ts';
import { aRun, aTask, claim, COMMIT, HEADS, POLICY, report } from './testing/work.ts';

const SHA = 'a'.repeat(64);

interface Ending extends Partial<FinishInput> {
  outcome: FinishInput['outcome'];
}
const ENDINGS: [says: Ending, run: string, task: string, reason: RegExp | null][] = [
  [{ outcome: 'verified', headCommits: HEADS }, 'submitting', 'running', null],
  [{ outcome: 'no-change' }, 'no-change', 'completed', /Nothing needed to change/],
  [{ outcome: 'failed', cause: 'agent', reason: 'tests fail' }, 'failed', 'pending(retry)', /tests fail/],
  [{ outcome: 'failed', cause: 'platform' }, 'failed', 'pending(retry)', /Run 1-1 ended as failed/],
  [{ outcome: 'failed', cause: 'input', reason: 'no such branch' }, 'failed', 'failed', /no such branch/],
  [{ outcome: 'lost', cause: 'platform' }, 'lost', 'pending(retry)', /lost/],
  [{ outcome: 'out-of-time' }, 'out-of-time', 'failed', /out-of-time/],
  [{ outcome: 'out-of-budget' }, 'out-of-budget', 'pending(budget)', /out-of-budget/],
  [{ outcome: 'cancelled' }, 'cancelled', 'cancelled', /Cancelled/],
];

for (const [says, runState, taskState, reason] of ENDINGS) {
  const what = [says.outcome, says.cause].filter(Boolean).join(' by ');
  test(`${what}: the run is ${runState}, its task ${taskState}; said again it answers the same`, async () => {
    await using db = await testDatabase();
    const order = await aRun(db.pool);
    const run = await finishRun(db.pool, order.run, report(order, says), POLICY);
    const task = await getTask(db.pool, 1);
    assert.equal(run.state, runState);
    assert.equal(
      task.pendingReason === null ? task.state : `${task.state}(${task.pendingReason})`,
      taskState,
    );
    if (reason === null) assert.equal(task.reason, null);
    else assert.match(task.reason!, reason);
    assert.deepEqual(await finishRun(db.pool, order.run, report(order, says), POLICY), run);
    assert.deepEqual(await getTask(db.pool, 1), task);
  });
}

const HIDDEN: [says: Ending, refused: string, called: boolean, run: string][] = [
  [{ outcome: 'failed', cause: 'agent', reason: 'exit code 1' }, 'now()', false, 'out-of-budget'],
  [{ outcome: 'no-change' }, 'now()', false, 'out-of-budget'],
  [{ outcome: 'out-of-time' }, 'now()', false, 'out-of-budget'],
  [{ outcome: 'out-of-budget', reason: '402' }, 'now()', false, 'out-of-budget'],
  [{ outcome: 'failed', cause: 'platform' }, 'now()', false, 'failed'],
  [{ outcome: 'cancelled' }, 'now()', false, 'cancelled'],
  [{ outcome: 'verified', headCommits: HEADS }, 'now()', false, 'submitting'],
  [{ outcome: 'failed', cause: 'agent' }, `now() - interval '1 minute'`, true, 'failed'],
];
for (const [says, refused, called, state] of HIDDEN) {
  const then = called ? ' and a call that went well' : '';
  test(`${says.outcome}${says.cause ? ` by ${says.cause}` : ''} after a refusal${then}: the run is ${state}`, async () => {
    await using db = await testDatabase();
    const order = await aRun(db.pool);
    await noteRefusal(db.pool, order.run, 'The budget is used up.');
    await db.pool.query(`update run set over_budget_at = ${refused}`);
    if (called)
      await db.pool.query(
        `insert into model_call (run, task, project, protocol, model_asked, model_served, input_tokens, cached_tokens, output_tokens,
           usage_source, price, cost_micros, status, outcome, total_ms) values ($1, 1, 1, 'chat', 'm', 'm', 1, 0, 1, 'upstream', '{}', 1, 200, 'ok', 5)`,
        [order.run],
      );
    const run = await finishRun(db.pool, order.run, report(order, says), POLICY);
    assert.equal(run.state, state);
    if (state !== 'out-of-budget') return;
    assert.equal((await getTask(db.pool, 1)).reason, 'The budget is used up.');
    assert.deepEqual(await finishRun(db.pool, order.run, report(order, says), POLICY), run);
  });
}

test('causes are counted apart, waits double, and the last failure fails the task', async () => {
  await using db = await testDatabase();
  let order = await aRun(db.pool);
  const waits: number[] = [];
  for (const cause of ['platform', 'agent', 'platform', 'platform', 'agent'] as const) {
    await finishRun(db.pool, order.run, report(order, { outcome: 'failed', cause, reason: cause }), POLICY);
    const { notBefore, updatedAt, state } = await getTask(db.pool, 1);
    waits.push(notBefore === null ? -1 : (Date.parse(notBefore) - Date.parse(updatedAt)) / 1000);
    if (state === 'failed') break;
    await db.pool.query(`update task set state = 'queued', pending_reason = null`);
    order = (await claim(db.pool))!;
  }
  assert.deepEqual(waits, [15, 15, 30, 60, -1]);
  assert.equal((await getTask(db.pool, 1)).reason, 'agent');
});

test('a run does not end while bytes of its log are missing', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  await db.pool.query(`update log_stream set bytes = 10 where stream = 'raw'`);
  const logs = { raw: { bytes: 12, sha256: SHA }, events: { bytes: 0, sha256: SHA } };
  await assert.rejects(finishRun(db.pool, order.run, report(order, { outcome: 'no-change', logs }), POLICY), {
    code: 'ERR_LOG_INCOMPLETE',
    details: { raw: { have: 10, want: 12 } },
  });
  assert.equal((await getRun(db.pool, order.run)).state, 'leased');
  await db.pool.query(`update log_stream set bytes = 12 where stream = 'raw'`);
  const run = await finishRun(
    db.pool,
    order.run,
    report(order, { outcome: 'no-change', logs: { raw: logs.raw } }),
    POLICY,
  );
  assert.deepEqual(run.logs, [
    { stream: 'events', bytes: 0, sha256: null, state: 'truncated' },
    { stream: 'raw', bytes: 12, sha256: SHA, state: 'complete' },
  ]);
});

test('a run that ends gives back repository, room and the key of the gateway', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  await aTask(db.pool);
  assert.equal(await claim(db.pool), null);
  assert.equal((await verifyToken(db.pool, order.gatewayKey))?.run, order.run);
  await finishRun(db.pool, order.run, report(order, { outcome: 'no-change' }), POLICY);
  assert.equal(await verifyToken(db.pool, order.gatewayKey), null);
  assert.equal((await verifyToken(db.pool, order.runToken))?.run, order.run, 'the runner may still ask');
  assert.equal((await claim(db.pool))?.run, '2-1');
});

test('a verified run frees the worker but keeps its repository', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  await aTask(db.pool);
  const run = await finishRun(
    db.pool,
    order.run,
    report(order, { outcome: 'verified', headCommits: HEADS, iterations: 2 }),
    POLICY,
  );
  assert.deepEqual([run.leaseUntil, run.repositories[0]?.headCommit, run.iterations], [null, COMMIT, 2]);
  assert.equal(await claim(db.pool), null);
});

test('another end after the first, another fence and an incomplete report are refused', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  const finish = (input: FinishInput) => finishRun(db.pool, order.run, input, POLICY);
  await assert.rejects(finish(report(order, { outcome: 'verified' })), { code: 'ERR_INVALID_INPUT' });
  await assert.rejects(finish(report(order, { outcome: 'failed' })), { code: 'ERR_INVALID_INPUT' });
  await assert.rejects(finish(report({ fence: 2 }, { outcome: 'no-change' })), { code: 'ERR_STALE_FENCE' });
  await finish(report(order, { outcome: 'no-change' }));
  await assert.rejects(finish(report(order, { outcome: 'failed', cause: 'agent' })), {
    code: 'ERR_STALE_FENCE',
  });
});
