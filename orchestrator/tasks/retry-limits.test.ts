import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/support/database.ts';
import { listDeadLetters } from './dead-letters.ts';
import { explainTask } from './explain.ts';
import { finishRun } from './finish.ts';
import { getTask } from './queries.ts';
import { retryTask } from './retry.ts';
import { sweep } from './sweep.ts';
import { aProject, aTask, aWorker, claim, POLICY, report, SETTINGS, SWEEP } from './testing/work.ts';

/** Tasks in projects of their own, or in those that are named, whose first run has failed. */
async function failed(db: TestDatabase, projects: string[], cause: 'platform' | 'input' = 'platform') {
  await aWorker(db.pool);
  for (const project of projects) {
    await aProject(db.pool, project).catch(() => {}); // a second task of it
    await aTask(db.pool, project);
    const order = (await claim(db.pool))!;
    const end = report(order, { outcome: 'failed', cause, reason: 'no luck' });
    await finishRun(db.pool, order.run, end, POLICY);
  }
  await db.pool.query('update task set not_before = now() where not_before is not null');
}

const sweepWith = async (db: TestDatabase, installation: number, project: number) =>
  (await sweep(db.pool, { ...SWEEP, policy: { ...POLICY, retriesPerHour: { installation, project } } }))
    .retried;

test('no more retries begin in an hour than a project may, and the others wait for the next', async () => {
  await using db = await testDatabase();
  await failed(db, ['a', 'b', 'a', 'a']);
  assert.equal(await sweepWith(db, 100, 2), 3);
  const waiting = await getTask(db.pool, 4);
  assert.deepEqual([waiting.state, waiting.pendingReason], ['pending', 'retry']);
  assert.match(waiting.reason!, /2 retries that its project may begin/);
  assert.ok(Date.parse(waiting.notBefore!) > Date.now() + 3_500_000);
  assert.match((await explainTask(db.pool, 4, SETTINGS)).waits[0]!.why, /retriesPerHour\.project/);
  assert.equal(await sweepWith(db, 100, 2), 0);
  await db.pool.query(`update retry_begun set at = at - interval '1 hour'`);
  await db.pool.query(`update task set not_before = now() where id = 4`);
  assert.equal(await sweepWith(db, 100, 2), 1);
  assert.equal((await db.pool.query('select from retry_begun')).rowCount, 1);
});

test('the installation has a limit of its own, and none at all may be allowed', async () => {
  await using db = await testDatabase();
  await failed(db, ['a', 'b', 'c']);
  assert.equal(await sweepWith(db, 2, 100), 2);
  assert.match((await getTask(db.pool, 3)).reason!, /installation/);
  await db.pool.query(`update task set not_before = now() where id = 3`);
  assert.equal(await sweepWith(db, 0, 100), 0);
});

test('dead letters are the failed tasks, the last ones first, until somebody retries them', async () => {
  await using db = await testDatabase();
  await failed(db, ['a'], 'input');
  await failed(db, ['b']);
  assert.deepEqual(
    (await listDeadLetters(db.pool, { limit: 10 })).map(({ task, why }) => [task, why]),
    [[1, 'refused']],
  );
  for (let tries = 0; tries < 3; tries++) {
    await sweep(db.pool, SWEEP);
    const order = (await claim(db.pool))!;
    const end = report(order, { outcome: 'failed', cause: 'platform', reason: 'again' });
    await finishRun(db.pool, order.run, end, POLICY);
    await db.pool.query('update task set not_before = now() where not_before is not null');
  }
  const letters = await listDeadLetters(db.pool, { limit: 10 });
  assert.deepEqual(
    letters.map(({ task, run, why, cause, retries }) => [task, run, why, cause, retries]),
    [
      [2, '2-4', 'retries-used-up', 'platform', { platform: 3 }],
      [1, '1-1', 'refused', 'input', {}],
    ],
  );
  const after = await listDeadLetters(db.pool, { limit: 10, before: 2 });
  assert.deepEqual(
    after.map(({ task }) => task),
    [1],
  );
  assert.deepEqual(
    (await listDeadLetters(db.pool, { limit: 10, project: 'b' })).map(({ task }) => task),
    [2],
  );
  await retryTask(db.pool, 2);
  assert.equal((await listDeadLetters(db.pool, { limit: 10, project: 'b' })).length, 0);
  await assert.rejects(listDeadLetters(db.pool, { limit: 10, project: 'none' }), { code: 'ERR_NOT_FOUND' });
});
