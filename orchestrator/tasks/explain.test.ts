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

const waitsOf = async (db: Queryable, task: number) => (await explainTask(db, task, SETTINGS)).waits;
const reasons = (waits: Wait[]) => waits.map((wait) => wait.for);

test('a task that a worker may take waits for nothing; one that runs or has ended says so', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aWorker(db.pool);
  await aTask(db.pool);
  const queued = await explainTask(db.pool, 1, SETTINGS);
  assert.deepEqual([queued.waits, queued.place], [[], 1]);
  const order = (await claim(db.pool))!;
  assert.match((await explainTask(db.pool, 1, SETTINGS)).summary, /runs as 1-1/);
  const end = report(order, { outcome: 'failed', cause: 'input', reason: 'no such branch' });
  await finishRun(db.pool, order.run, end, POLICY);
  assert.match((await explainTask(db.pool, 1, SETTINGS)).summary, /failed: no such branch/);
  await assert.rejects(explainTask(db.pool, 9, SETTINGS), { code: 'ERR_NOT_FOUND' });
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

test('it tells which of memory, cores and disk a worker lacks, and that it is drained', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'a', { agent: 'qwen-coder', model: 'm', runMemoryMib: 1536 });
  await aProject(db.pool, 'b', { agent: 'qwen-coder', model: 'm', runMemoryMib: 1536 });
  const agents = ['qwen-coder'];
  const resources = { memoryMib: 2048, cores: 0.15, diskMib: 9000 };
  await aWorker(db.pool, 'vm-2', 9, agents, { resources });
  const [, b] = [await aTask(db.pool, 'a'), await aTask(db.pool, 'b')];
  const why = async () => (await waitsOf(db.pool, b.id)).map((wait) => wait.why)[0] ?? '';
  assert.equal((await claim(db.pool, 'vm-2'))?.task.id, 1);
  assert.match(await why(), /vm-2 has 0.5 of 2 GiB memory left, qwen-coder needs 1.5; it is the next/);
  assert.equal(await claim(db.pool, 'vm-2'), null);
  await aWorker(db.pool, 'vm-2', 9, agents, { resources: { ...resources, memoryMib: 4096 } });
  assert.match(await why(), /vm-2 has 0.04 of 0.15 cores left, a run needs 0.1/);
  await aWorker(db.pool, 'vm-2', 9, agents, { resources: { memoryMib: 4096, cores: 8, diskMib: 512 } });
  assert.match(await why(), /vm-2 has 0.5 GiB of disk left, runs begin with 1 or more/);
  assert.equal(await claim(db.pool, 'vm-2'), null);
  await db.pool.query('update worker set draining = true');
  assert.match(await why(), /vm-2 is drained/);
  assert.equal(await claim(db.pool, 'vm-2'), null);
  await db.pool.query('update worker set draining = false, disk_mib = null, memory_mib = 1024');
  assert.match(await why(), /A run of qwen-coder needs 1536 MiB of memory; in all vm-2 has 1024/);
});

test('workers of one host share its memory', async () => {
  await using db = await testDatabase();
  const resources = { memoryMib: 1000, cores: 4, diskMib: 9000 };
  for (const name of ['a', 'b', 'c']) {
    await aProject(db.pool, name, { runMemoryMib: 400 });
    await aTask(db.pool, name);
    await aWorker(db.pool, name, 1, [], { resources, host: name === 'c' ? 'vm-2' : 'vm-1' });
  }
  await db.pool.query(`update worker set memory_mib = 700 where host = 'vm-1'`);
  const taken = await Promise.all(['a', 'b'].map(async (name) => await claim(db.pool, name)));
  assert.equal(taken.filter((order) => order !== null).length, 1);
  assert.ok((await claim(db.pool, 'c')) !== null);
  const [left] = (await db.pool.query<{ id: number }>(`select id from task where state = 'queued'`)).rows;
  const [wait] = await waitsOf(db.pool, left!.id);
  assert.match(
    wait!.why,
    /[ab] \(1 of 1 runs\), [ab] has 0.29 of 0.68 GiB|[ab] has 0.29 of 0.68 GiB.*, [ab] \(1 of 1 runs\)/,
  );
});

test('it tells which placement and labels a project asks for', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p', { placement: 'service', workerLabels: ['gpu'] });
  await aTask(db.pool);
  await aWorker(db.pool, 'w', 1, [], { labels: ['gpu', 'big'] });
  const why = async () => (await waitsOf(db.pool, 1)).map((wait) => wait.why)[0] ?? '';
  assert.match(await why(), /asks for placement service, and none of w is such a worker/);
  await aWorker(db.pool, 'w', 1, [], { placement: 'service' });
  assert.match(await why(), /asks for workers with gpu, and none of w has that/);
  await aWorker(db.pool, 'w', 1, [], { placement: 'service', labels: ['gpu', 'big'] });
  assert.equal((await claim(db.pool))?.run, '1-1');
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
  await aProject(db.pool, 'e', { workerLabels: ['gpu'], runMemoryMib: 1000 });
  await aProject(db.pool, 'f', { placement: 'service' });
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { minLength: 1, maxLength: 5 }),
      fc.record({
        capacity: fc.integer({ min: 1, max: 3 }),
        equipped: fc.boolean(),
        directory: fc.boolean(),
        project: fc.option(fc.constantFrom('a', 'c')),
        claims: fc.nat(2),
        drain: fc.boolean(),
        worker: fc.record({
          labels: fc.subarray(['gpu', 'big']),
          placement: fc.constantFrom('unit' as const, 'service' as const),
          resources: fc.option(
            fc.record({
              memoryMib: fc.constantFrom(100, 300, 600, 1100),
              cores: fc.constantFrom(0.15, 0.25, 4),
              diskMib: fc.constantFrom(1000, 2000, 3000),
            }),
            { nil: undefined },
          ),
        }),
        draining: fc.boolean(),
      }),
      async (projects, { capacity, equipped, directory, project, claims, drain, worker: more, draining }) => {
        const worker = `w${++round}`;
        await db.pool.query(`update worker set state = 'offline'`);
        await db.pool.query(`update repository_claim set released_at = now() where released_at is null`);
        await db.pool.query(`update run set state = 'cancelled'`);
        await db.pool.query(`update task_repository set waiting = false`);
        await db.pool.query(`update task set state = 'cancelled', pending_reason = null`);
        await aWorker(db.pool, worker, capacity, equipped ? ['qwen-coder'] : [], more);
        await db.pool.query('update worker set isolations = $1, project = $2 where name = $3', [
          JSON.stringify(directory ? ['directory', 'bubblewrap'] : ['bubblewrap']),
          project,
          worker,
        ]);
        const tasks: number[] = [];
        for (const name of projects) tasks.push((await aTask(db.pool, name)).id);
        for (let i = 0; i < claims; i++) await claim(db.pool, worker);
        await db.pool.query('update worker set draining = $2 where name = $1', [worker, draining]);
        if (drain) await startDrain(db.pool, {}, { deadlineMinutes: 1, atDeadline: 'wait' }, 'ann');
        const free = [];
        for (const task of tasks) {
          const { state, waits } = await explainTask(db.pool, task, SETTINGS);
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
    { numRuns: 60 },
  );
});
