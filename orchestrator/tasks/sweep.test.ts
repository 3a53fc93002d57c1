import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { settledEvents } from '../events/testing/settled.ts';
import { listWorkers } from '../workers/worker-list.ts';
import { finishRun } from './finish.ts';
import { heartbeat } from './lease.ts';
import { getRun, getTask } from './queries.ts';
import { sweep, type SweepCounts } from './sweep.ts';
import {
  aProject,
  aRun,
  aTask,
  claim,
  expireLeases,
  POLICY,
  report,
  SETTINGS,
  SWEEP,
} from './testing/work.ts';
import type { Queryable } from '../db/connect.ts';

/** What a sweep mended. */
async function swept(db: Queryable, leases = true): Promise<Partial<SweepCounts>> {
  const counts = await sweep(db, { ...SWEEP, leases });
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

test('nothing is mended where nothing is broken', async () => {
  await using db = await testDatabase();
  await aRun(db.pool);
  await aTask(db.pool);
  assert.deepEqual(await swept(db.pool), {});
});

test('a run whose lease ran out is lost and its task tried again, but not in the grace after a start', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  await expireLeases(db.pool);
  assert.deepEqual(await swept(db.pool, false), {});
  assert.deepEqual(await swept(db.pool), { lost: 1 });
  assert.equal((await getRun(db.pool, run)).cause, 'lost');
  assert.equal((await getTask(db.pool, 1)).pendingReason, 'retry');
  assert.deepEqual(await swept(db.pool), {}, 'the retry is not due yet');
  await db.pool.query('update task set not_before = now()');
  assert.deepEqual(await swept(db.pool), { retried: 1 });
  assert.equal((await claim(db.pool))?.run, '1-2');
});

test('a task that is lost again and again fails in the end', async () => {
  await using db = await testDatabase();
  await aRun(db.pool);
  for (let loss = 1; loss <= POLICY.retries.lost; loss++) {
    await expireLeases(db.pool);
    await swept(db.pool);
    await db.pool.query('update task set not_before = now()');
    await swept(db.pool);
    assert.equal((await claim(db.pool))?.fence, loss + 1);
  }
  await expireLeases(db.pool);
  await swept(db.pool);
  const task = await getTask(db.pool, 1);
  assert.equal(task.state, 'failed');
  assert.match(task.reason!, /not heard of/);
});

test('a run far past its deadline is ended although it sends heartbeats', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  await db.pool.query(`update run set deadline = now() - interval '119 seconds'`);
  await heartbeat(db.pool, run, 1, { leaseSeconds: 30 });
  assert.deepEqual(await swept(db.pool), {});
  await db.pool.query(`update run set deadline = now() - interval '121 seconds'`);
  assert.deepEqual(await swept(db.pool), { overdue: 1 });
  assert.equal((await getRun(db.pool, run)).state, 'out-of-time');
  await assert.rejects(heartbeat(db.pool, run, 1, { leaseSeconds: 30 }), { code: 'ERR_STALE_FENCE' });
});

test('a claim that outlived its run is released, and a missing head is put in place', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  await aTask(db.pool);
  await finishRun(db.pool, order.run, report(order, { outcome: 'no-change' }), POLICY);
  await db.pool.query('update repository_claim set released_at = null');
  await db.pool.query(`update task set state = 'pending', pending_reason = 'repository' where id = 2`);
  assert.deepEqual(await swept(db.pool), { released: 1 });
  assert.equal((await getTask(db.pool, 2)).state, 'queued');
  await db.pool.query(`update task set state = 'pending', pending_reason = 'repository' where id = 2`);
  assert.deepEqual(await swept(db.pool), { promoted: 1 });
  assert.equal((await getTask(db.pool, 2)).state, 'queued');
});

test('a worker that is not seen is offline until it polls again', async () => {
  await using db = await testDatabase();
  await aRun(db.pool);
  await db.pool.query(`update worker set last_seen = now() - interval '61 seconds'`);
  assert.deepEqual(await swept(db.pool), { absentWorkers: 1 });
  assert.equal((await listWorkers(db.pool, SETTINGS.needs))[0]?.state, 'offline');
  await claim(db.pool);
  assert.equal((await listWorkers(db.pool, SETTINGS.needs))[0]?.state, 'online');
  const kinds = (await settledEvents(db.pool))
    .map((event) => event.kind)
    .filter((kind) => kind.startsWith('worker.'));
  assert.deepEqual(kinds, ['worker.online', 'worker.offline', 'worker.online']);
});

test('two sweeps at once mend everything once', async () => {
  await using db = await testDatabase();
  await aRun(db.pool);
  for (const name of ['a', 'b', 'c']) {
    await aProject(db.pool, name);
    await aTask(db.pool, name);
    await claim(db.pool);
  }
  await expireLeases(db.pool);
  const both = await Promise.all([swept(db.pool), swept(db.pool)]);
  assert.equal((both[0].lost ?? 0) + (both[1].lost ?? 0), 4);
});
