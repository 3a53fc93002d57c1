import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { TaskInput } from '../../protocol/task.ts';
import { createTask } from './create.ts';
import { archiveProject, updateProject } from './projects.ts';
import { getTask, listTasks } from './queries.ts';
import { aProject, aTask, aWorker, claim } from './testing/work.ts';

const give = { actor: 'ann', agent: 'qwen-coder', model: 'engine/small' };
const input = (more: Partial<TaskInput> = {}) => TaskInput.parse({ project: 'p', title: 'do it', ...more });

test('agent and model come from the task, else the project, else the configuration', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'bare', { agent: undefined });
  await aProject(db.pool, 'own', { agent: 'other', model: 'engine/large' });
  const resolve = async (more: Partial<TaskInput>) => {
    const { task } = await createTask(db.pool, input(more), give);
    return [task.agent, task.model];
  };
  assert.deepEqual(await resolve({ project: 'bare' }), ['qwen-coder', 'engine/small']);
  assert.deepEqual(await resolve({ project: 'own' }), ['other', 'engine/large']);
  assert.deepEqual(await resolve({ project: 'own', agent: 'third', model: 'x/y' }), ['third', 'x/y']);
});

test('without a model a task is refused, but for the agent `command`', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await assert.rejects(createTask(db.pool, input({ agent: 'qwen-coder' }), { ...give, model: null }), {
    code: 'ERR_NO_MODEL',
  });
  const { task } = await createTask(db.pool, input(), { ...give, model: null });
  assert.equal(task.model, '');
});

test('unknown, archived and untrusted projects are refused with what to do', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p', { isolation: 'directory', trusted: false });
  await assert.rejects(createTask(db.pool, input(), give), {
    code: 'ERR_NOT_TRUSTED',
    remedy: /project set p --isolation bubblewrap/,
  });
  await updateProject(db.pool, 'p', { isolation: 'bubblewrap' });
  await archiveProject(db.pool, 'p');
  await assert.rejects(createTask(db.pool, input(), give), { code: 'ERR_STATE' });
  await assert.rejects(createTask(db.pool, input({ project: 'q' }), give), { code: 'ERR_NOT_FOUND' });
});

test('a repeated request with the same key gets the first task, also when both come at once', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  const both = await Promise.all([0, 1].map(() => createTask(db.pool, input({ idempotencyKey: 'k' }), give)));
  assert.deepEqual(
    both.map((answer) => answer.task.id),
    [1, 1],
  );
  assert.equal(both.filter((answer) => answer.created).length, 1);
  const other = await createTask(db.pool, input({ idempotencyKey: 'other' }), give);
  assert.equal(other.created, true);
});

test('one task a repository is queued, the others wait; a more urgent one takes its place', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aWorker(db.pool);
  const states = async () =>
    (await listTasks(db.pool, { limit: 9 })).toReversed().map((task) => task.pendingReason ?? task.state);
  await aTask(db.pool);
  await aTask(db.pool);
  assert.deepEqual(await states(), ['queued', 'repository']);
  await aTask(db.pool, 'p', { priority: 1 });
  assert.deepEqual(await states(), ['repository', 'repository', 'queued']);
  assert.equal((await claim(db.pool))?.task.id, 3);
  await aTask(db.pool, 'p', { priority: 9 });
  assert.deepEqual(await states(), ['repository', 'repository', 'running', 'repository']);
});

test('creating stays flat with ten thousand tasks waiting behind one repository, and so does claiming', async (t) => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aWorker(db.pool);
  const first = await aTask(db.pool);
  await db.pool.query(
    `with made as (
       insert into task (project, title, body, agent, model, state, pending_reason, order_key, created_by, agent_command)
       select 1, 't', '', 'command', '', 'pending', 'repository', now() + n * interval '1 second', 'ann', '["true"]'
       from generate_series(1, 10000) n returning id, order_key)
     insert into task_repository (task, repository, position, base_branch, order_key, waiting)
       select id, 1, 1, 'main', order_key, true from made`,
  );
  await db.pool.query('analyze');
  const start = performance.now();
  for (let i = 0; i < 20; i++) await aTask(db.pool, 'p', { priority: 1 });
  t.diagnostic(`a task: ${((performance.now() - start) / 20).toFixed(1)} ms`);
  const claiming = performance.now();
  assert.equal((await claim(db.pool))?.task.id, 10_002);
  t.diagnostic(`a claim: ${(performance.now() - claiming).toFixed(1)} ms`);
  assert.equal((await getTask(db.pool, first.id)).pendingReason, 'repository');
});

test('a task says where it came from: the API, or a source with its class and account', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  const own = await aTask(db.pool);
  assert.deepEqual([own.class, own.sourceName, own.account], ['person', 'api', null]);
  const { task } = await createTask(db.pool, TaskInput.parse({ project: 'p', title: 'look' }), {
    actor: 'alarms',
    agent: 'command',
    model: null,
    from: { source: 'alarms', class: 'incident', account: '4711' },
  });
  assert.deepEqual([task.class, task.sourceName, task.account], ['incident', 'alarms', '4711']);
  const { rows } = await db.pool.query('select class from task_repository order by task');
  assert.deepEqual(rows, [{ class: 'person' }, { class: 'incident' }]);
});
