import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { transaction } from '../db/connect.ts';
import { getDrain, holdDrain, noteFlag, startDrain, stopDrain, type DrainPolicy } from './drain.ts';
import { finishRun } from './finish.ts';
import { heartbeat } from './lease.ts';
import { getTask, listTasks } from './queries.ts';
import { sweep } from './sweep.ts';
import {
  aProject,
  aRun,
  aTask,
  aWorker,
  claim,
  expireLeases,
  POLICY,
  report,
  SETTINGS,
  SWEEP,
} from './testing/work.ts';

const DRAIN: DrainPolicy = { deadlineMinutes: 60, atDeadline: 'wait' };

test('sixty claims race with a drain: no run begins after the drain was acknowledged', async () => {
  await using db = await testDatabase({ poolSize: 30 });
  await aWorker(db.pool, 'w', 1000);
  for (let project = 0; project < 40; project++) {
    await aProject(db.pool, `p${project}`);
    await aTask(db.pool, `p${project}`);
  }
  const claims = Array.from({ length: 60 }, () => claim(db.pool));
  await Promise.race(claims);
  const drain = await startDrain(db.pool, {}, DRAIN, 'ann');
  const began = (await db.pool.query<{ id: string }>('select id from run')).rows.map(({ id }) => id);
  assert.ok(began.length > 0, 'some claims were first');
  assert.ok(began.length < 40, 'some claims came too late');
  assert.deepEqual(drain.runs.map(({ run }) => run).sort(), began.sort());
  const given = (await Promise.all(claims)).filter((order) => order !== null);
  assert.equal(given.length, began.length);
  const { rows } = await db.pool.query('select count(*) from run');
  assert.equal(rows[0].count, began.length);
});

test('a drain that begins waits for the claim that is under way', async () => {
  await using db = await testDatabase();
  let drained: Promise<unknown> | undefined;
  await transaction(db.pool, async (tx) => {
    assert.equal(await holdDrain(tx), 'off');
    let answered = false;
    drained = startDrain(db.pool, {}, DRAIN, 'ann').then(() => (answered = true));
    // It waits for our lock, by the account of the database itself.
    for (let waiting = 0; waiting === 0;) {
      const { rows } = await db.pool.query<{ count: number }>(
        `select count(*)::int from pg_locks where not granted`,
      );
      waiting = rows[0]!.count;
    }
    assert.equal(answered, false);
  });
  await drained;
  assert.equal(await transaction(db.pool, holdDrain), 'draining');
});

test('claims that overlap without end do not keep a drain from beginning', async () => {
  await using db = await testDatabase({ poolSize: 12 });
  let held = 0;
  const claimer = async (first: number) => {
    for (let state = 'off', pause = first; state === 'off'; pause = 0.02)
      await transaction(db.pool, async (tx) => {
        state = await holdDrain(tx);
        held++;
        await tx.query('select pg_sleep($1)', [pause]);
      });
  };
  const claimers = Array.from({ length: 8 }, (_, i) => claimer(0.003 * i));
  await startDrain(db.pool, {}, DRAIN, 'ann');
  await Promise.all(claimers);
  assert.ok(held < 50, `${held} claims were let in first`);
});

test('tasks come in during a drain, and go on after it in their old order', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool);
  await startDrain(db.pool, { reason: 'new disks' }, DRAIN, 'ann');
  for (const [name, priority] of [
    ['a', 0],
    ['b', 5],
    ['c', 1],
  ] as const) {
    await aProject(db.pool, name);
    await aTask(db.pool, name, { priority });
  }
  assert.equal(await claim(db.pool), null);
  assert.deepEqual(
    (await listTasks(db.pool, { limit: 10 })).map(({ state }) => state),
    ['queued', 'queued', 'queued'],
  );
  const { state, waiting, reason, begunBy } = await getDrain(db.pool);
  assert.deepEqual([state, waiting, reason, begunBy], ['draining', 3, 'new disks', 'ann']);
  assert.equal((await stopDrain(db.pool, undefined)).state, 'off');
  const order = [await claim(db.pool), await claim(db.pool), await claim(db.pool)];
  assert.deepEqual(
    order.map((each) => each?.project.name),
    ['b', 'c', 'a'],
  );
});

test('a run that is at work goes on through a drain, and a claim that is repeated gets it again', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  await startDrain(db.pool, {}, DRAIN, 'ann');
  assert.equal((await heartbeat(db.pool, order.run, order.fence, SETTINGS.lease)).cancel, false);
  await finishRun(db.pool, order.run, report(order, { outcome: 'no-change' }), POLICY);
  assert.equal((await getTask(db.pool, order.task.id)).state, 'completed');
});

test('a lost run that is back goes on while others are active, and not when nothing may be', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  await startDrain(db.pool, {}, DRAIN, 'ann');
  await expireLeases(db.pool);
  await sweep(db.pool, SWEEP);
  await heartbeat(db.pool, order.run, order.fence, SETTINGS.lease);
  await expireLeases(db.pool);
  await sweep(db.pool, SWEEP);
  await db.pool.query('update drain set drained_at = now()');
  await assert.rejects(heartbeat(db.pool, order.run, order.fence, SETTINGS.lease), {
    code: 'ERR_STALE_FENCE',
  });
});

test('what was asked for by verb and by flag file is over when neither asks any more', async () => {
  await using db = await testDatabase();
  assert.equal(await noteFlag(db.pool, true, '/f', DRAIN), true);
  assert.equal(await noteFlag(db.pool, true, '/f', DRAIN), false);
  await assert.rejects(stopDrain(db.pool, '/f'), { code: 'ERR_STATE', message: /\/f/ });
  await startDrain(db.pool, { deadlineMinutes: 5, atDeadline: 'cancel' }, DRAIN, 'ann');
  assert.equal((await stopDrain(db.pool, '/f')).state, 'draining');
  await startDrain(db.pool, {}, DRAIN, 'ann');
  await noteFlag(db.pool, false, '/f', DRAIN);
  assert.equal((await getDrain(db.pool)).state, 'draining');
  const over = await stopDrain(db.pool, '/f');
  assert.deepEqual([over.state, over.reason, over.deadline, over.atDeadline], ['off', null, null, null]);
  assert.equal((await stopDrain(db.pool, '/f')).state, 'off');
});
