import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { Run } from '../../protocol/run.ts';
import { Task } from '../../protocol/task.ts';
import { getRun, getTask, listRuns, listTasks } from './queries.ts';
import { aProject, aRun, aTask, aWorker, claim } from './testing/work.ts';

test('a task and a run are what the protocol says', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  Task.parse(await getTask(db.pool, 1));
  Run.parse(await getRun(db.pool, run));
});

test('a run shows what its model calls used and how long its logs are', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  assert.deepEqual((await getRun(db.pool, run)).usage, {
    calls: 0,
    inputTokens: 0,
    cachedTokens: 0,
    outputTokens: 0,
    costMicros: 0,
  });
  for (let i = 0; i < 2; i++) {
    await db.pool.query(
      `insert into model_call (run, task, project, protocol, model_asked, model_served, input_tokens, cached_tokens, output_tokens,
         usage_source, price, cost_micros, status, outcome, total_ms)
       values ($1, 1, 1, 'chat', 'm', 'm', 4000000000, 5, 7, 'upstream', '{}', 11, 200, 'ok', 1)`,
      [run],
    );
  }
  const shown = Run.parse(await getRun(db.pool, run));
  assert.deepEqual(shown.usage, {
    calls: 2,
    inputTokens: 8_000_000_000,
    cachedTokens: 10,
    outputTokens: 14,
    costMicros: 22,
  });
  assert.deepEqual(
    shown.logs.map((log) => log.stream),
    ['events', 'raw'],
  );
});

test('lists are newest first, filtered, and go on before the last one seen', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool);
  for (const name of ['a', 'b']) {
    await aProject(db.pool, name);
    for (let i = 0; i < 2; i++) await aTask(db.pool, name);
  }
  await claim(db.pool);
  await claim(db.pool);
  const tasks = async (want: object) =>
    (await listTasks(db.pool, { limit: 9, ...want })).map((task) => task.id);
  assert.deepEqual(await tasks({}), [4, 3, 2, 1]);
  assert.deepEqual(await tasks({ project: 'a' }), [2, 1]);
  assert.deepEqual(await tasks({ state: 'running' }), [3, 1]);
  assert.deepEqual(await tasks({ limit: 2, before: 4 }), [3, 2]);
  const runs = async (want: object) => (await listRuns(db.pool, { limit: 9, ...want })).map((run) => run.id);
  assert.deepEqual(await runs({}), ['3-1', '1-1']);
  assert.deepEqual(await runs({ before: '3-1' }), ['1-1']);
  assert.deepEqual(await runs({ task: 3, state: 'leased', worker: 'w' }), ['3-1']);
  assert.deepEqual(await runs({ worker: 'other' }), []);
});

test('what is not there is told, and so is a project that nobody knows', async () => {
  await using db = await testDatabase();
  await assert.rejects(getTask(db.pool, 1), { code: 'ERR_NOT_FOUND' });
  await assert.rejects(getRun(db.pool, '1-1'), { code: 'ERR_NOT_FOUND' });
  await assert.rejects(listTasks(db.pool, { project: 'x', limit: 1 }), { code: 'ERR_NOT_FOUND' });
});
