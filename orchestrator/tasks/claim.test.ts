import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { WorkOrder } from '../../protocol/worker.ts';
import { claimRun } from './claim.ts';
import { finishRun } from './finish.ts';
import { heartbeat } from './lease.ts';
import { listTasks } from './queries.ts';
import { aProject, aRun, aTask, aWorker, claim, POLICY, report, SETTINGS } from './testing/work.ts';

test('a claim answers with the whole work order, and the task runs', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p', {
    verify: [{ name: 'test', command: 'make test' }],
    limits: { maxIterations: 2, deadlineMinutes: 5, agentTurns: 20 },
  });
  await aWorker(db.pool);
  await aTask(db.pool, 'p', { limits: { deadlineMinutes: 10, agentUsd: 1.5 } });
  const order = WorkOrder.parse(await claim(db.pool));
  assert.equal(order.run, '1-1');
  assert.deepEqual(order.agent, {
    name: 'command',
    command: ['true'],
    model: '',
    maxTurns: 20,
    maxUsd: 1.5,
  });
  assert.deepEqual(order.limits, { maxIterations: 2, verifyTimeoutSeconds: 900, verifyOutputBytes: 4096 });
  assert.deepEqual(order.verify, [{ name: 'test', command: 'make test' }]);
  assert.equal(Math.round((Date.parse(order.deadline) - Date.now()) / 60_000), 10);
  assert.match(order.runToken, /^ac_run_/);
  const [task] = await listTasks(db.pool, { limit: 1 });
  assert.deepEqual([task?.state, task?.attempt, task?.currentRun], ['running', 1, '1-1']);
});

test('the same claim id gets the same run and tokens, until the run has ended', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aWorker(db.pool);
  await aTask(db.pool);
  const again = { worker: 'w', claimId: randomUUID() };
  const [first, second] = await Promise.all([
    claimRun(db.pool, again, SETTINGS),
    claimRun(db.pool, again, SETTINGS),
  ]);
  assert.deepEqual(first, second);
  await finishRun(db.pool, first!.run, report(first!, { outcome: 'no-change' }), POLICY);
  await assert.rejects(claimRun(db.pool, again, SETTINGS), { code: 'ERR_STATE' });
});

test('a retry is told which run came before and why it ended', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  await finishRun(
    db.pool,
    order.run,
    report(order, { outcome: 'failed', cause: 'agent', reason: 'tests fail' }),
    POLICY,
  );
  await db.pool.query(`update task set pending_reason = 'repository', state = 'pending'`);
  await db.pool.query(`update task set pending_reason = null, state = 'queued'`);
  assert.deepEqual((await claim(db.pool))?.previous, { run: '1-1', reason: 'tests fail' });
});

test('a worker gets no more runs than it has room for, and only for agents that it has', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool, 'small', 1);
  await aWorker(db.pool, 'equipped', 1, ['qwen-coder']);
  for (const name of ['a', 'b']) {
    await aProject(db.pool, name);
    await aTask(db.pool, name);
  }
  await aProject(db.pool, 'c', { agent: 'qwen-coder', model: 'm' });
  await aTask(db.pool, 'c', { priority: 50 });
  assert.equal((await claim(db.pool, 'small'))?.project.name, 'a');
  assert.equal(await claim(db.pool, 'small'), null);
  assert.equal((await claim(db.pool, 'equipped'))?.project.name, 'c');
  await assert.rejects(claim(db.pool, 'nobody'), { code: 'ERR_NOT_FOUND' });
});

test('priority goes before age, and age outweighs a step of priority after ten minutes', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool);
  for (const [name, priority, minutes] of [
    ['old', 0, 11],
    ['new', 1, 0],
    ['urgent', 2, 0],
  ] as const) {
    await aProject(db.pool, name);
    await aTask(db.pool, name, { priority });
    await db.pool.query(
      `update task set order_key = order_key - make_interval(mins => $2) from project p where p.id = project and p.name = $1`,
      [name, minutes],
    );
  }
  const order = [await claim(db.pool), await claim(db.pool), await claim(db.pool)].map(
    (each) => each?.project.name,
  );
  assert.deepEqual(order, ['urgent', 'old', 'new']);
});

test('twenty claimers over 300 tasks in 30 repositories: every task runs once, no repository twice at a time', async () => {
  await using db = await testDatabase({ poolSize: 20 });
  for (let project = 0; project < 30; project++) {
    await aProject(db.pool, `p${project}`);
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => aTask(db.pool, `p${project}`, { priority: i % 3 })),
    );
  }
  const atWork = new Set<number>();
  const done: number[] = [];
  const claimer = async (name: string) => {
    await aWorker(db.pool, name, 2);
    while (done.length < 300) {
      const order = await claim(db.pool, name);
      if (order === null) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      assert.ok(
        !atWork.has(order.repositories[0]!.id),
        `repository ${order.repositories[0]!.id} was claimed twice`,
      );
      atWork.add(order.repositories[0]!.id);
      done.push(order.task.id);
      await heartbeat(db.pool, order.run, order.fence, SETTINGS.lease);
      atWork.delete(order.repositories[0]!.id);
      await finishRun(db.pool, order.run, report(order, { outcome: 'no-change' }), POLICY);
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, i) => claimer(`w${i % 15}`)));
  assert.equal(new Set(done).size, 300);
  assert.equal(done.length, 300);
  const { rows } = await db.pool.query(
    `select count(*) filter (where state = 'completed') as completed, count(*) as all from task`,
  );
  assert.deepEqual(rows[0], { completed: 300, all: 300 });
  const left = await db.pool.query('select from repository_claim where released_at is null');
  assert.equal(left.rowCount, 0);
});
