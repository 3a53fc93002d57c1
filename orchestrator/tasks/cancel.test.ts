import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { onNotify, stopListening } from '../db/notifications.ts';
import { cancelTask, isCancelRequested } from './cancel.ts';
import { finishRun } from './finish.ts';
import { getRun, getTask } from './queries.ts';
import { submissionCancelled } from './submission-state.ts';
import { sweep } from './sweep.ts';
import { aProject, aRun, aTask, COMMIT, HEADS, POLICY, report, SWEEP } from './testing/work.ts';

test('what waits is cancelled at once, and the next one takes its turn', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aTask(db.pool);
  await aTask(db.pool);
  const task = await cancelTask(db.pool, 1, 'ann');
  assert.deepEqual([task.state, task.reason], ['cancelled', 'Cancelled by ann.']);
  assert.equal((await getTask(db.pool, 2)).state, 'queued');
});

test('a running task is asked to stop, its runner is woken, and its end cancels the task', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  const wakes = new EventTarget();
  const forget = await onNotify(db.pool, 'run', (payload) =>
    wakes.dispatchEvent(new CustomEvent('wake', { detail: payload })),
  );
  const woken = once(wakes, 'wake');
  assert.equal((await cancelTask(db.pool, 1, 'ann')).state, 'running');
  assert.equal((await woken)[0].detail, order.run);
  assert.equal(await isCancelRequested(db.pool, order.run), true);
  await finishRun(db.pool, order.run, report(order, { outcome: 'failed', cause: 'agent' }), POLICY);
  assert.equal(
    (await getTask(db.pool, 1)).state,
    'cancelled',
    'a run that fails while it is cancelled is not tried again',
  );
  forget();
  await stopListening(db.pool);
});

test('a runner that does not answer is given a minute', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  await cancelTask(db.pool, 1, 'ann');
  assert.equal((await sweep(db.pool, SWEEP)).cancelled, 0);
  await db.pool.query(`update task set updated_at = now() - interval '61 seconds'`);
  await cancelTask(db.pool, 1, 'bob');
  assert.equal((await sweep(db.pool, SWEEP)).cancelled, 1);
  assert.equal((await getRun(db.pool, run)).state, 'cancelled');
  assert.equal((await getTask(db.pool, 1)).state, 'cancelled');
});

test('a submission can be cancelled until its change is open', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  await finishRun(db.pool, order.run, report(order, { outcome: 'verified', headCommits: HEADS }), POLICY);
  await cancelTask(db.pool, 1, 'ann');
  assert.equal(await isCancelRequested(db.pool, order.run), true);
  await db.pool.query(
    `insert into change (task, repository, run, forge, branch, base_branch, base_commit, head_commit, title, body, state)
     values (1, 1, $1, 'local', 'b', 'main', $2, $2, 't', '', 'open')`,
    [order.run, COMMIT],
  );
  await assert.rejects(cancelTask(db.pool, 1, 'ann'), { code: 'ERR_STATE', remedy: /change close 1/ });
  await submissionCancelled(db.pool, order.run);
  assert.equal((await getTask(db.pool, 1)).state, 'cancelled');
});

test('what has ended, and what never was, cannot be cancelled', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aTask(db.pool);
  await cancelTask(db.pool, 1, 'ann');
  await assert.rejects(cancelTask(db.pool, 1, 'ann'), { code: 'ERR_STATE' });
  await assert.rejects(cancelTask(db.pool, 2, 'ann'), { code: 'ERR_NOT_FOUND' });
});
