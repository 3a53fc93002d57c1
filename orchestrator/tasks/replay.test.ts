import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { ReplayInput } from '../../protocol/task.ts';
import { finishRun } from './finish.ts';
import { getRun, getTask } from './queries.ts';
import { replayRun } from './replay.ts';
import { aRun, claim, COMMIT, HEADS, POLICY, report } from './testing/work.ts';
import type { Queryable } from '../db/connect.ts';

const DEFAULTS = { actor: 'ann', agent: 'qwen-coder', model: null };

async function finishedRun(db: Queryable): Promise<string> {
  const { run, fence } = await aRun(db);
  await db.query(`insert into run_repository (run, repository, base_commit) values ($1, 1, $2)`, [
    run,
    COMMIT,
  ]);
  await finishRun(db, run, report({ fence }, { outcome: 'no-change' }), POLICY);
  return run;
}

test('a run done again has the same words, and what it brings is kept without being submitted', async () => {
  await using db = await testDatabase();
  const original = await finishedRun(db.pool);
  const task = await replayRun(db.pool, original, ReplayInput.parse({ model: 'vllm/other' }), DEFAULTS);
  const first = await getTask(db.pool, 1);
  assert.deepEqual(
    [task.replayOf, task.title, task.body, task.agent, task.model],
    [original, first.title, first.body, 'command', 'vllm/other'],
  );
  const order = (await claim(db.pool))!;
  const report1 = report(order, { outcome: 'verified', headCommits: HEADS });
  const run = await finishRun(db.pool, order.run, report1, POLICY);
  assert.equal(run.state, 'succeeded');
  assert.equal((await finishRun(db.pool, order.run, report1, POLICY)).state, 'succeeded', 'said again');
  const ended = await getTask(db.pool, task.id);
  assert.deepEqual([ended.state, ended.changes], ['completed', []]);
  assert.match(ended.reason!, /kept to be compared, not submitted/);
});

test('one that fails by its agent is not tried again, one that was lost is', async () => {
  await using db = await testDatabase();
  const original = await finishedRun(db.pool);
  const end = async (cause: 'agent' | 'platform') => {
    const { id } = await replayRun(db.pool, original, ReplayInput.parse({}), DEFAULTS);
    const order = (await claim(db.pool))!;
    await finishRun(db.pool, order.run, report(order, { outcome: 'failed', cause }), POLICY);
    return (await getTask(db.pool, id)).state;
  };
  assert.deepEqual([await end('agent'), await end('platform')], ['failed', 'pending']);
});

test('a run that never had a base cannot be done again', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  await assert.rejects(replayRun(db.pool, run, ReplayInput.parse({}), DEFAULTS), {
    code: 'ERR_STATE',
    remedy: /task retry 1/,
  });
  await assert.rejects(replayRun(db.pool, '9-9', ReplayInput.parse({}), DEFAULTS), { code: 'ERR_NOT_FOUND' });
  assert.equal((await getRun(db.pool, run)).state, 'leased');
});
