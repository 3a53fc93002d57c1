import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../test/support/database.ts';
import type { Wait } from '../../protocol/scheduling.ts';
import type { Queryable } from '../db/connect.ts';
import { startDrain } from './drain.ts';
import { explainTask } from './explain.ts';
import { finishRun } from './finish.ts';
import { aProject, aTask, aWorker, claim, POLICY, report, SETTINGS } from './testing/work.ts';

const { books } = SETTINGS;
const waitsOf = async (db: Queryable, task: number) => (await explainTask(db, task, books)).waits;
const reasons = (waits: Wait[]) => waits.map((wait) => wait.for);

test('a task that a worker may take waits for nothing; one that runs or has ended says so', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aWorker(db.pool);
  await aTask(db.pool);
  const queued = await explainTask(db.pool, 1, books);
  assert.deepEqual([queued.waits, queued.place], [[], 1]);
  const order = (await claim(db.pool))!;
  assert.match((await explainTask(db.pool, 1, books)).summary, /runs as 1-1/);
  const end = report(order, { outcome: 'failed', cause: 'input', reason: 'no such branch' });
  await finishRun(db.pool, order.run, end, POLICY);
  assert.match((await explainTask(db.pool, 1, books)).summary, /failed: no such branch/);
  await assert.rejects(explainTask(db.pool, 9, books), { code: 'ERR_NOT_FOUND' });
});

test('at a repository it names the run that works there and the tasks that go before', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aWorker(db.pool);
  for (let i = 0; i < 3; i++) await aTask(db.pool);
  await claim(db.pool);
  const [wait] = await waitsOf(db.pool, 3);
  assert.equal(wait?.for, 'repository');
  assert.match(wait!.why, /In p: run 1-1 of task 1 is at work, and a task goes before it/);
  assert.deepEqual(wait!.tasks, [1, 2]);
});

test('it tells what no worker has, and when those that could are full', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'a', { agent: 'qwen-coder', model: 'm' });
  await aProject(db.pool, 'b', { isolation: 'bubblewrap' });
  await aProject(db.pool, 'c', { isolation: 'directory' });
  const [a, b, c] = [await aTask(db.pool, 'a'), await aTask(db.pool, 'b'), await aTask(db.pool, 'c')];
  const why = async (task: { id: number }) => (await waitsOf(db.pool, task.id)).map((wait) => wait.why)[0];
  assert.match((await why(c))!, /No worker is online/);
  await aWorker(db.pool, 'w', 1);
  assert.match((await why(a))!, /w has the agent qwen-coder/);
  await db.pool.query(`update worker set isolations = '["directory"]'`);
  assert.match((await why(b))!, /w offers isolation bubblewrap/);
  await db.pool.query(`update worker set project = 'b'`);
  assert.match((await why(c))!, /w may work for other projects only/);
  await db.pool.query(`update worker set project = null`);
  assert.equal((await claim(db.pool))?.task.id, c.id);
  await aProject(db.pool, 'd', { isolation: 'directory' });
  const d = await aTask(db.pool, 'd');
  const [room] = await waitsOf(db.pool, d.id);
  assert.deepEqual([room?.for, room?.tasks], ['room', [a.id, b.id]]);
  assert.match(room!.why, /w \(1 of 1 runs\); 2 tasks go before it/);
});

test('a drain, a retry and a budget are told with what ends them', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aWorker(db.pool);
  await aTask(db.pool);
  const order = (await claim(db.pool))!;
  await finishRun(
    db.pool,
    order.run,
    report(order, { outcome: 'failed', cause: 'platform', reason: 'no disk' }),
    POLICY,
  );
  const [retry] = await waitsOf(db.pool, 1);
  assert.deepEqual([retry?.for, retry?.why], ['retry', 'no disk']);
  assert.match(retry!.remedy, /tried again at 20/);
  await startDrain(db.pool, {}, { deadlineMinutes: 1, atDeadline: 'wait' }, 'ann');
  assert.deepEqual(reasons(await waitsOf(db.pool, 1)), ['drain', 'retry']);
});

// The claim and the explanation go by one set of conditions: whatever the circumstances, they agree.
test('what an explanation finds nothing against is claimed, and nothing else is', async () => {
  await using db = await testDatabase();
  for (const name of ['a', 'b']) await aProject(db.pool, name);
  await aProject(db.pool, 'c', { isolation: 'directory' });
  await aProject(db.pool, 'd', { agent: 'qwen-coder', model: 'm' });
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 5 }),
      fc.record({
        capacity: fc.integer({ min: 1, max: 3 }),
        equipped: fc.boolean(),
        directory: fc.boolean(),
        project: fc.option(fc.constantFrom('a', 'c')),
        claims: fc.nat(2),
        drain: fc.boolean(),
      }),
      async (projects, { capacity, equipped, directory, project, claims, drain }) => {
        const worker = `w${++round}`;
        await db.pool.query(`update worker set state = 'offline'`);
        await db.pool.query(`update repository_claim set released_at = now() where released_at is null`);
        await db.pool.query(`update run set state = 'cancelled'`);
        await db.pool.query(`update task_repository set waiting = false`);
        await db.pool.query(`update task set state = 'cancelled', pending_reason = null`);
        await aWorker(db.pool, worker, capacity, equipped ? ['qwen-coder'] : []);
        await db.pool.query('update worker set isolations = $1, project = $2 where name = $3', [
          JSON.stringify(directory ? ['directory', 'bubblewrap'] : ['bubblewrap']),
          project,
          worker,
        ]);
        const tasks: number[] = [];
        for (const name of projects) tasks.push((await aTask(db.pool, name)).id);
        for (let i = 0; i < claims; i++) await claim(db.pool, worker);
        if (drain) await startDrain(db.pool, {}, { deadlineMinutes: 1, atDeadline: 'wait' }, 'ann');
        const free = [];
        for (const task of tasks) {
          const { state, waits } = await explainTask(db.pool, task, books);
          if (waits.length === 0 && state === 'queued') free.push(task);
          if (waits.length === 0) assert.ok(state === 'queued' || state === 'running', state);
        }
        const next = await claim(db.pool, worker);
        await db.pool.query(
          `update drain set requested = false, begun_at = null, begun_by = null, deadline = null, at_deadline = null`,
        );
        assert.equal(next?.task.id, free[0]);
      },
    ),
    { numRuns: 40 },
  );
});
