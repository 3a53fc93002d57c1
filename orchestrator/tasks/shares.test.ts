import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { TASK_CLASSES, type TaskClass } from '../../protocol/order-of-work.ts';
import { TaskInput } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { createTask } from './create.ts';
import { finishRun } from './finish.ts';
import { aProject, aWorker, claim, POLICY, report } from './testing/work.ts';

/** So many tasks of a class, each in a project of its own. */
async function give(db: Queryable, one: TaskClass, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await aProject(db, `${one}-${i}`);
    const input = TaskInput.parse({ project: `${one}-${i}`, title: one });
    const from = { source: one, class: one };
    await createTask(db, input, { actor: 'ann', agent: 'command', model: null, from });
  }
}

/** Classes of the next tasks, one run at a time. */
async function begin(db: Queryable, count: number): Promise<TaskClass[]> {
  const begun: TaskClass[] = [];
  for (let i = 0; i < count; i++) {
    const order = (await claim(db))!;
    begun.push(order.task.title as TaskClass);
    await finishRun(db, order.run, report(order, { outcome: 'no-change' }), POLICY);
  }
  return begun;
}

const countOf = (begun: TaskClass[], one: TaskClass) => begun.filter((each) => each === one).length;

test('a storm of alarms with one worker keeps no ticket from beginning, nor tickets a later incident', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool, 'w', 1);
  await give(db.pool, 'incident', 12);
  await give(db.pool, 'ticket', 3);
  const begun = await begin(db.pool, 9);
  assert.equal(begun[0], 'incident');
  assert.deepEqual([countOf(begun, 'incident'), countOf(begun, 'ticket')], [6, 3]);
  assert.ok(begun.indexOf('ticket') <= 2, begun.join());
});

test('while all classes wait, each gets of the runs that begin what its weight says', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool, 'w', 1);
  for (const one of TASK_CLASSES) await give(db.pool, one, 9);
  const begun = await begin(db.pool, 18);
  const counts = TASK_CLASSES.map((one) => countOf(begun, one));
  assert.deepEqual(counts, [8, 4, 4, 2]);
});

test('what a class does not need is the others’, and it has saved nothing up when it comes back', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool, 'w', 1);
  await give(db.pool, 'ticket', 12);
  assert.equal(countOf(await begin(db.pool, 4), 'ticket'), 4);
  await give(db.pool, 'person', 6);
  const begun = await begin(db.pool, 8);
  assert.deepEqual([countOf(begun, 'ticket'), countOf(begun, 'person')], [4, 4]);
});
