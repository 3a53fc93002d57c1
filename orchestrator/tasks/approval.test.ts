import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import type { Queryable } from '../db/connect.ts';
import { approvePlan, rejectPlan } from './approval.ts';
import { cancelTask } from './cancel.ts';
import { finishRun } from './finish.ts';
import { updateProject } from './projects.ts';
import { getRun, getTask } from './queries.ts';
import { retryTask } from './retry.ts';
import { sweep } from './sweep.ts';
import { aProject, aTask, aWorker, claim, expireLeases, POLICY, report, SWEEP } from './testing/work.ts';

const PLAN = { summary: 's', steps: [{ title: 'a', status: 'pending' as const }] };

/** A task behind the gate, and its planning run. */
async function planning(db: Queryable): Promise<WorkOrder> {
  await aProject(db);
  await aWorker(db);
  await aTask(db, 'p', { approvePlan: true });
  return (await claim(db))!;
}

async function planned(db: Queryable, order: WorkOrder): Promise<void> {
  await finishRun(db, order.run, report(order, { outcome: 'planned', plan: PLAN }), POLICY);
}

test('a run behind the gate makes a plan alone, and frees worker and repository', async () => {
  await using db = await testDatabase();
  const order = await planning(db.pool);
  assert.deepEqual(order.planning, { only: true, approved: null, rejected: null });
  await assert.rejects(finishRun(db.pool, order.run, report(order, { outcome: 'planned' }), POLICY), {
    message: /needs the plan/,
  });
  await planned(db.pool, order);
  await planned(db.pool, order); // the answer was lost: the report comes again
  const task = await getTask(db.pool, 1);
  assert.deepEqual(
    [task.state, task.pendingReason, task.planState, task.plan],
    ['pending', 'approval', 'proposed', PLAN],
  );
  assert.equal((await getRun(db.pool, '1-1')).state, 'planned');
  await aTask(db.pool);
  assert.equal((await claim(db.pool))?.run, '2-1', 'the repository is free for another task');
});

test('an approved plan is what the next run goes by, and every retry after it', async () => {
  await using db = await testDatabase();
  await planned(db.pool, await planning(db.pool));
  const task = await approvePlan(db.pool, 1, 'bob', {});
  assert.deepEqual([task.state, task.planState], ['queued', 'approved']);
  const order = (await claim(db.pool))!;
  assert.deepEqual([order.run, order.previous], ['1-2', null]);
  assert.deepEqual(order.planning, { only: false, approved: PLAN, rejected: null });
  await finishRun(
    db.pool,
    order.run,
    report(order, { outcome: 'failed', cause: 'agent', reason: 'r' }),
    POLICY,
  );
  assert.deepEqual((await db.pool.query('select retries from task')).rows[0].retries, { agent: 1 });
  await db.pool.query('update task set not_before = now()');
  await sweep(db.pool, SWEEP);
  const again = (await claim(db.pool))!;
  assert.deepEqual([again.planning.approved, again.previous?.run], [PLAN, '1-2']);
});

test('other steps can be approved instead', async () => {
  await using db = await testDatabase();
  await planned(db.pool, await planning(db.pool));
  const { plan } = await approvePlan(db.pool, 1, 'bob', { steps: ['b', 'c'] });
  assert.deepEqual([plan?.summary, plan?.steps.map(({ title }) => title)], ['s', ['b', 'c']]);
});

test('a rejected plan goes back with the message, and another is made', async () => {
  await using db = await testDatabase();
  await planned(db.pool, await planning(db.pool));
  await rejectPlan(db.pool, 1, { author: 'bob', text: 'not so' });
  const order = (await claim(db.pool))!;
  assert.deepEqual(order.planning, { only: true, approved: null, rejected: PLAN });
  assert.deepEqual(
    order.messages.map(({ author, text }) => [author, text]),
    [['bob', 'not so']],
  );
  assert.equal(order.previous, null, 'it is no failed attempt');
  await planned(db.pool, order);
  assert.equal((await getTask(db.pool, 1)).planState, 'proposed');
});

test('of two decisions at once one holds, the other is refused', async () => {
  await using db = await testDatabase();
  await planned(db.pool, await planning(db.pool));
  const decisions = await Promise.allSettled([
    approvePlan(db.pool, 1, 'ann', {}),
    rejectPlan(db.pool, 1, { author: 'bob', text: 'no' }),
    cancelTask(db.pool, 1, 'eve'),
  ]);
  const refused = decisions.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []));
  // A cancel is also right after an approval.
  assert.ok(refused.length >= 1 && refused.every((code) => code === 'ERR_STATE'), JSON.stringify(refused));
});

test('what waits for no approval can be neither approved nor rejected', async () => {
  await using db = await testDatabase();
  const order = await planning(db.pool);
  await assert.rejects(approvePlan(db.pool, 1, 'bob', {}), {
    code: 'ERR_STATE',
    message: 'Task 1 is running; it has no plan that waits for approval.',
  });
  await assert.rejects(approvePlan(db.pool, 7, 'bob', {}), { code: 'ERR_NOT_FOUND' });
  await planned(db.pool, order);
  await cancelTask(db.pool, 1, 'bob');
  await assert.rejects(rejectPlan(db.pool, 1, { author: 'bob', text: 'x' }), { code: 'ERR_STATE' });
  await retryTask(db.pool, 1);
  assert.equal((await claim(db.pool))?.planning.only, true, 'a plan that nobody approved is made anew');
});

test('a cancelled planning run, and a lost one, leave no plan to approve', async () => {
  await using db = await testDatabase();
  const order = await planning(db.pool);
  await expireLeases(db.pool);
  await sweep(db.pool, SWEEP);
  assert.equal((await getTask(db.pool, 1)).pendingReason, 'retry');
  await planned(db.pool, order); // its worker is back with the plan
  assert.equal((await getTask(db.pool, 1)).pendingReason, 'approval');
  await rejectPlan(db.pool, 1, { author: 'bob', text: 'x' });
  const second = (await claim(db.pool))!;
  await cancelTask(db.pool, 1, 'bob');
  await planned(db.pool, second);
  assert.equal((await getTask(db.pool, 1)).state, 'cancelled');
});

test('a task goes by its own word about the gate, else by its project', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  assert.equal((await aTask(db.pool)).approvePlan, false);
  await updateProject(db.pool, 'p', { approvePlan: true, permissions: { execute: 'deny' } });
  assert.equal((await aTask(db.pool)).approvePlan, true);
  assert.equal((await aTask(db.pool, 'p', { approvePlan: false })).approvePlan, false);
  const { permissions } = await updateProject(db.pool, 'p', { permissions: { fetch: 'deny' } });
  assert.deepEqual(permissions, { execute: 'deny', fetch: 'deny' });
});
