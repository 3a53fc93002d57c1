import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Queryable } from '../db/connect.ts';
import { explainTask } from './explain.ts';
import { finishRun } from './finish.ts';
import { updateProject } from './projects.ts';
import { getTask } from './queries.ts';
import { postMessage } from './reopen.ts';
import { submittedRun } from './submission-state.ts';
import { sweep } from './sweep.ts';
import { aProject, aTask, aWorker, claim, COMMIT, POLICY, report, SETTINGS, SWEEP } from './testing/work.ts';

/** Takes the next task to an open change in the first of its repositories. */
async function bringChange(db: Queryable): Promise<number> {
  const order = (await claim(db))!;
  const headCommits = order.repositories.map(({ id }) => ({ repository: id, commit: COMMIT }));
  await finishRun(db, order.run, report(order, { outcome: 'verified', headCommits }), POLICY);
  const { rows } = await db.query<{ id: number }>(
    `insert into change (task, repository, run, forge, branch, base_branch, base_commit, head_commit, title, body, state)
     values ($1, $2, $3, 'local', 'autocode/x', 'main', $4, $4, 't', 'b', 'open')
     on conflict (task, repository) do update set run = excluded.run returning id`,
    [order.task.id, order.repositories[0]!.id, order.run, COMMIT],
  );
  await submittedRun(db, order.run, { changes: [rows[0]!.id] });
  return rows[0]!.id;
}

const reasonOf = async (db: Queryable, task: number) => (await getTask(db, task)).pendingReason;

test('with afterChange wait a task begins when the earlier change was merged or closed, one at a time', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p', { afterChange: 'wait' });
  await aWorker(db.pool);
  const tasks = [await aTask(db.pool), await aTask(db.pool), await aTask(db.pool)];
  const change = await bringChange(db.pool);
  assert.equal(await claim(db.pool), null);
  assert.deepEqual([await reasonOf(db.pool, 2), await reasonOf(db.pool, 3)], ['change', 'change']);
  const [wait] = (await explainTask(db.pool, tasks[1]!.id, SETTINGS)).waits;
  assert.equal(wait?.for, 'change');
  assert.match(wait.why, new RegExp(`Change ${change} of p is open`));
  assert.equal((await sweep(db.pool, SWEEP)).held, 0);
  await db.pool.query(`update change set state = 'merged'`);
  assert.equal((await sweep(db.pool, SWEEP)).held, 1);
  assert.equal((await sweep(db.pool, SWEEP)).held, 0);
  await bringChange(db.pool);
  assert.deepEqual([(await getTask(db.pool, 2)).state, await reasonOf(db.pool, 3)], ['completed', 'change']);
});

test('a task that is opened again goes on with its own change while others wait for it', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p', { afterChange: 'wait' });
  await aWorker(db.pool);
  await aTask(db.pool);
  await aTask(db.pool);
  await bringChange(db.pool);
  await claim(db.pool);
  await postMessage(db.pool, 1, { author: 'ann', text: 'not so' }, true);
  assert.equal((await claim(db.pool))?.task.id, 1);
  assert.equal(await reasonOf(db.pool, 2), 'change');
});

test('an investigation and a project that does not wait any more are held by no change', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p', { afterChange: 'wait' });
  await aWorker(db.pool);
  await aTask(db.pool);
  await bringChange(db.pool);
  const look = await aTask(db.pool, 'p', { kind: 'investigate' });
  const order = await claim(db.pool);
  assert.equal(order?.task.id, look.id);
  await finishRun(db.pool, order.run, report(order, { outcome: 'no-change' }), POLICY);
  const { id } = await aTask(db.pool);
  assert.equal(await claim(db.pool), null);
  await updateProject(db.pool, 'p', { afterChange: 'base' });
  assert.equal((await sweep(db.pool, SWEEP)).held, 1);
  assert.equal((await claim(db.pool))?.task.id, id);
});
