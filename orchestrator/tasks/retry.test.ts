import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Queryable } from '../db/connect.ts';
import { cancelTask } from './cancel.ts';
import { finishRun } from './finish.ts';
import { retryTask } from './retry.ts';
import { submittedRun } from './submission-state.ts';
import { updateProject } from './projects.ts';
import { aProject, aRun, aTask, claim, COMMIT, HEADS, POLICY, report } from './testing/work.ts';

async function deliver(db: Queryable): Promise<void> {
  const order = await aRun(db);
  await finishRun(db, order.run, report(order, { outcome: 'verified', headCommits: HEADS }), POLICY);
  await db.query(
    `insert into change (task, repository, run, forge, branch, base_branch, base_commit, head_commit, title, body, state)
     values (1, 1, $1, 'local', 'b', 'main', $2, $2, 't', '', 'open')`,
    [order.run, COMMIT],
  );
  await submittedRun(db, order.run, { changes: [1] });
}

test('a failed task is queued again with its retries forgotten, and its next run is a new one', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  await db.pool.query(`update task set retries = '{"agent": 1}'`);
  await finishRun(db.pool, order.run, report(order, { outcome: 'failed', cause: 'agent' }), POLICY);
  const task = await retryTask(db.pool, 1);
  assert.deepEqual([task.state, task.finishedAt], ['queued', null]);
  assert.deepEqual((await db.pool.query('select retries from task')).rows[0].retries, {});
  assert.equal((await claim(db.pool))?.run, '1-2');
});

test('cancelled tasks and those that came to nothing can be tried again; live ones cannot', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  await assert.rejects(retryTask(db.pool, 1), { code: 'ERR_STATE' });
  await finishRun(db.pool, order.run, report(order, { outcome: 'no-change' }), POLICY);
  assert.equal((await retryTask(db.pool, 1)).state, 'queued');
  await cancelTask(db.pool, 1, 'ann');
  assert.equal((await retryTask(db.pool, 1)).state, 'queued');
});

test('a task whose change is open or merged is not tried again, one whose change was closed is', async () => {
  await using db = await testDatabase();
  await deliver(db.pool);
  await assert.rejects(retryTask(db.pool, 1), { code: 'ERR_STATE', remedy: /change close 1/ });
  await db.pool.query(`update change set state = 'merged'`);
  await assert.rejects(retryTask(db.pool, 1), { code: 'ERR_STATE', remedy: /new task/ });
  await db.pool.query(`update change set state = 'closed'`);
  assert.equal((await retryTask(db.pool, 1)).state, 'queued');
});

test('a project that is not trusted any more gets no new runs', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p', { isolation: 'directory' });
  await aTask(db.pool);
  await assert.rejects(updateProject(db.pool, 'p', { trusted: false }), { code: 'ERR_STATE' });
  await cancelTask(db.pool, 1, 'ann');
  await updateProject(db.pool, 'p', { trusted: false });
  await assert.rejects(retryTask(db.pool, 1), { code: 'ERR_NOT_TRUSTED' });
});
