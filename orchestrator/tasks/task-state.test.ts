import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { TASK_STATES, type TaskState } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { settledEvents } from '../events/testing/settled.ts';
import { getTask } from './queries.ts';
import { ENDED_TASK_STATES, moveTask, TASK_TRANSITIONS, type TaskMove } from './task-state.ts';
import { aProject, aTask } from './testing/work.ts';

async function put(db: Queryable, state: TaskState): Promise<void> {
  await db.query(`update task set state = $1, pending_reason = case when $1 = 'pending' then 'retry' end`, [
    state,
  ]);
}

const move = (state: TaskState): TaskMove =>
  state === 'pending' ? { state, pendingReason: 'repository', reason: 'why' } : { state, reason: 'why' };

test('every transition of the table is made and told; every other is refused and changes nothing', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aTask(db.pool);
  for (const from of TASK_STATES) {
    for (const to of TASK_STATES) {
      await put(db.pool, from);
      const before = await settledEvents(db.pool);
      if (!TASK_TRANSITIONS[from].includes(to)) {
        await assert.rejects(moveTask(db.pool, 1, move(to)), { code: 'ERR_STATE', details: { from, to } });
        assert.equal((await getTask(db.pool, 1)).state, from);
        continue;
      }
      await moveTask(db.pool, 1, move(to));
      const task = await getTask(db.pool, 1);
      assert.deepEqual([task.state, task.reason], [to, 'why']);
      assert.equal(task.finishedAt !== null, ENDED_TASK_STATES.includes(to));
      const events = await settledEvents(db.pool);
      assert.equal(events.length, before.length + 1);
      const { data } = events.at(-1)!;
      assert.deepEqual([data.from, data.to, data.reason], [from, to, 'why']);
    }
  }
});

test('a waiting time is written and cleared with the state that has it', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aTask(db.pool);
  await moveTask(db.pool, 1, {
    state: 'pending',
    pendingReason: 'retry',
    notBeforeSeconds: 60,
    retries: { agent: 1 },
  });
  const waiting = await getTask(db.pool, 1);
  assert.equal(Date.parse(waiting.notBefore!) - Date.parse(waiting.updatedAt), 60_000);
  await moveTask(db.pool, 1, { state: 'queued' });
  const queued = await getTask(db.pool, 1);
  assert.deepEqual([queued.notBefore, queued.pendingReason], [null, null]);
});

test('a task that does not exist is told', async () => {
  await using db = await testDatabase();
  await assert.rejects(moveTask(db.pool, 7, { state: 'queued' }), { code: 'ERR_NOT_FOUND' });
});
