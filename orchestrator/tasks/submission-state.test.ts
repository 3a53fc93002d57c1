import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Queryable } from '../db/connect.ts';
import { finishRun } from './finish.ts';
import { getRun, getTask } from './queries.ts';
import {
  noteSubmissionTrouble,
  runsToSubmit,
  submissionEmpty,
  submissionFailed,
  submittedRun,
} from './submission-state.ts';
import { aRun, aTask, claim, HEADS, POLICY, report } from './testing/work.ts';

async function verified(db: Queryable): Promise<string> {
  const order = await aRun(db);
  await finishRun(db, order.run, report(order, { outcome: 'verified', headCommits: HEADS }), POLICY);
  assert.deepEqual(await runsToSubmit(db), [order.run]);
  return order.run;
}

test('a submitted run succeeded, its task is completed, the repository is free; said twice it is the same', async () => {
  await using db = await testDatabase();
  const run = await verified(db.pool);
  await aTask(db.pool);
  for (let i = 0; i < 2; i++) await submittedRun(db.pool, run, { changes: [7] });
  assert.equal((await getRun(db.pool, run)).state, 'succeeded');
  assert.deepEqual(
    [(await getTask(db.pool, 1)).state, (await getTask(db.pool, 1)).reason],
    ['completed', 'Change 7 holds the result.'],
  );
  assert.equal((await claim(db.pool))?.run, '2-1');
  assert.deepEqual(await runsToSubmit(db.pool), []);
});

test('a result that equals its base completes the task without a change', async () => {
  await using db = await testDatabase();
  await submissionEmpty(db.pool, await verified(db.pool));
  assert.equal((await getTask(db.pool, 1)).reason, 'Nothing needed to change.');
});

test('what the forge refuses fails the task, what may do later is tried again', async () => {
  for (const [cause, state] of [
    ['input', 'failed'],
    ['platform', 'pending'],
  ] as const) {
    await using db = await testDatabase();
    const run = await verified(db.pool);
    await noteSubmissionTrouble(db.pool, run, 'the forge is away');
    assert.equal((await getRun(db.pool, run)).reason, 'the forge is away');
    await submissionFailed(db.pool, run, { cause, reason: 'protected branch' }, POLICY);
    assert.deepEqual(
      [(await getRun(db.pool, run)).state, (await getTask(db.pool, 1)).state],
      ['failed', state],
    );
  }
});

test('a run that was never handed over cannot be submitted', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  await assert.rejects(submittedRun(db.pool, run, { changes: [1] }), { code: 'ERR_STATE' });
});
