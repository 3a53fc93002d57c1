import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { verifyToken } from '../access/tokens.ts';
import { finishRun } from './finish.ts';
import { heartbeat, progress, signals } from './lease.ts';
import { getRun, getTask } from './queries.ts';
import { sweep } from './sweep.ts';
import { listWorkers } from '../workers/worker-list.ts';
import { aRun, aTask, claim, expireLeases, POLICY, report, SETTINGS, SWEEP } from './testing/work.ts';

const LEASE = { leaseSeconds: 30 };
const loseRuns = async (db: Parameters<typeof sweep>[0]) => {
  await expireLeases(db);
  assert.equal((await sweep(db, SWEEP)).lost, 1);
};

test('a heartbeat renews the lease and tells deadline and cancel', async () => {
  await using db = await testDatabase();
  const { run, deadline } = await aRun(db.pool);
  await db.pool.query(`update run set lease_until = now(), cancel_requested = true`);
  const answer = await heartbeat(db.pool, run, 1, LEASE);
  assert.deepEqual([answer.cancel, answer.deadline], [true, deadline]);
  assert.ok(Date.parse(answer.leaseUntil) > Date.now() + 20_000);
  await assert.rejects(heartbeat(db.pool, run, 2, LEASE), { code: 'ERR_STALE_FENCE' });
  await assert.rejects(heartbeat(db.pool, '9-1', 1, LEASE), { code: 'ERR_NOT_FOUND' });
});

test('of what the sandboxes use the last is kept, and the run says it to its end', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  const { run } = order;
  assert.equal(order.lease.takesUsage, true);
  const shown = async () => [
    (await getRun(db.pool, run)).sandboxUsage,
    (await listWorkers(db.pool, SETTINGS.needs))[0]!.runs[0]?.sandboxUsage,
  ];
  await heartbeat(db.pool, run, 1, LEASE);
  assert.deepEqual(await shown(), [null, null], 'a worker that does not tell');
  const usage = { memoryMib: 214, peakMib: 300, cpuSeconds: 1.25, cores: 0.9, processes: 4, diskMib: null };
  await heartbeat(db.pool, run, 1, LEASE, usage);
  await heartbeat(db.pool, run, 1, LEASE);
  assert.deepEqual(await shown(), [usage, usage], 'the last that was told');
  const last = { ...usage, memoryMib: 0, peakMib: 310, diskMib: 12 };
  await finishRun(db.pool, run, report(order, { outcome: 'no-change', sandboxUsage: last }), POLICY);
  assert.deepEqual(await shown(), [last, undefined]);
});

test('announcements are kept, may be repeated, and go by the table', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  const plan = { summary: 's', steps: [{ title: 'a', status: 'pending' as const }] };
  await progress(db.pool, run, { fence: 1, state: 'preparing' });
  for (let i = 0; i < 2; i++)
    await progress(db.pool, run, { fence: 1, state: 'working', plan, iterations: 1, agentVersion: '1.2' });
  const shown = await getRun(db.pool, run);
  assert.deepEqual(
    [shown.state, shown.plan, shown.iterations, shown.agentVersion],
    ['working', plan, 1, '1.2'],
  );
  await assert.rejects(progress(db.pool, run, { fence: 1, state: 'preparing' }), { code: 'ERR_STATE' });
  await assert.rejects(progress(db.pool, run, { fence: 2, state: 'working' }), { code: 'ERR_STALE_FENCE' });
});

test('a lost run whose worker is back goes on where it was, and the loss is not counted', async () => {
  await using db = await testDatabase();
  const { run, gatewayKey } = await aRun(db.pool);
  await progress(db.pool, run, { fence: 1, state: 'working' });
  await loseRuns(db.pool);
  const lost = await getRun(db.pool, run);
  assert.deepEqual([lost.state, lost.logs.map((log) => log.state)], ['lost', ['truncated', 'truncated']]);
  assert.equal((await getTask(db.pool, 1)).pendingReason, 'retry');
  assert.equal(await verifyToken(db.pool, gatewayKey), null);
  await heartbeat(db.pool, run, 1, LEASE);
  const back = await getRun(db.pool, run);
  assert.deepEqual(
    [back.state, back.cause, back.finishedAt, back.logs.map((log) => log.state)],
    ['working', null, null, ['open', 'open']],
  );
  assert.equal((await getTask(db.pool, 1)).currentRun, run);
  assert.equal((await verifyToken(db.pool, gatewayKey))?.run, run);
  const { rows } = await db.pool.query('select retries from task');
  assert.deepEqual(rows[0].retries, { lost: 0 });
});

test('a lost run may come back with its very end', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  await loseRuns(db.pool);
  const run = await finishRun(db.pool, order.run, report(order, { outcome: 'no-change' }), POLICY);
  assert.equal(run.state, 'no-change');
  assert.equal((await getTask(db.pool, 1)).state, 'completed');
});

test('a lost run stays lost when its repository or its task went to another', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  await aTask(db.pool, 'p');
  await loseRuns(db.pool);
  const other = (await claim(db.pool))!;
  assert.equal(other.task.id, 2);
  await assert.rejects(heartbeat(db.pool, run, 1, LEASE), { code: 'ERR_STALE_FENCE' });
  await finishRun(db.pool, other.run, report(other, { outcome: 'no-change' }), POLICY);
  await db.pool.query(`update task set not_before = now() where id = 1`);
  await sweep(db.pool, SWEEP);
  assert.equal((await claim(db.pool))?.run, '1-2');
  await assert.rejects(heartbeat(db.pool, run, 1, LEASE), { code: 'ERR_STALE_FENCE' });
  await assert.rejects(progress(db.pool, run, { fence: 1 }), { code: 'ERR_STALE_FENCE' });
  assert.equal((await getRun(db.pool, '1-2')).state, 'leased');
});

test('signals tell a cancel, and a run that has ended is told to stop', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  assert.deepEqual(await signals(db.pool, order.run, 1), { cancel: false, messages: [] });
  await db.pool.query(`update run set cancel_requested = true`);
  assert.deepEqual(await signals(db.pool, order.run, 1), { cancel: true, messages: [] });
  await finishRun(db.pool, order.run, report(order, { outcome: 'cancelled' }), POLICY);
  await assert.rejects(signals(db.pool, order.run, 1), { code: 'ERR_STALE_FENCE' });
});
