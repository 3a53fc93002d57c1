import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { SchedulingSettings } from '../config/scheduling-settings.ts';
import { freeTasks, takeUpHeld } from './held.ts';
import { aProject, aTask } from './testing/work.ts';

test('no more tasks are taken up than can begin, those that go first before the others', async () => {
  await using db = await testDatabase();
  for (let i = 0; i < 6; i++) {
    await aProject(db.pool, `p${i}`);
    await aTask(db.pool, `p${i}`, { priority: i });
  }
  await db.pool.query(
    `update task set state = 'pending', pending_reason = 'limit', held_by = 'account:4711', account = '4711'`,
  );
  await db.pool.query('update task_repository set waiting = false');
  await db.pool.query(
    `update task set state = 'running', pending_reason = null, held_by = null where id = 1`,
  );
  const { limits } = SchedulingSettings.parse({ limits: { perAccount: 3 } });
  const free = await freeTasks(db.pool, limits);
  assert.deepEqual(free, [{ id: 6 }, { id: 5 }]);
  assert.equal(await takeUpHeld(db.pool, 6), true);
  assert.equal(await takeUpHeld(db.pool, 6), false);
  assert.deepEqual(await freeTasks(db.pool, limits), [{ id: 5 }]);
  assert.equal((await freeTasks(db.pool, SchedulingSettings.parse({}).limits)).length, 4);
});
