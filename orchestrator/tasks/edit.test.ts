import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { cancelTask } from './cancel.ts';
import { editTask } from './edit.ts';
import { getTask } from './queries.ts';
import { aProject, aTask, aWorker, claim } from './testing/work.ts';

const BY = { actor: 'ann', priorityMinutes: 10 };

test('a higher priority brings a task before one that came earlier, in the queue and at its repository', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aWorker(db.pool);
  const first = await aTask(db.pool);
  const second = await aTask(db.pool);
  assert.deepEqual([first.state, second.state], ['queued', 'pending']);
  assert.equal((await editTask(db.pool, second.id, { priority: 1 }, BY)).state, 'queued');
  assert.equal((await getTask(db.pool, first.id)).pendingReason, 'repository');
  const { rows } = await db.pool.query(
    `select extract(epoch from created_at - order_key)::int as seconds from task where id = $1`,
    [second.id],
  );
  assert.deepEqual(rows, [{ seconds: 600 }]);
  assert.equal((await claim(db.pool))?.task.id, second.id);
});

test('what a patch names changes, the rest stays, and an event tells which', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  const before = await aTask(db.pool, 'p', { body: 'long', acceptance: ['a'], priority: 2 });
  const after = await editTask(db.pool, before.id, { title: 'do that', limits: { maxIterations: 2 } }, BY);
  assert.deepEqual(
    { ...after, updatedAt: before.updatedAt },
    { ...before, title: 'do that', limits: { maxIterations: 2 } },
  );
  const { rows } = await db.pool.query(`select data from event where kind = 'task.changed'`);
  assert.deepEqual(rows, [{ data: { changed: ['title', 'limits'], by: 'ann' } }]);
});

test('a patch that changes nothing says nothing', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  const task = await aTask(db.pool);
  assert.deepEqual(await editTask(db.pool, task.id, { priority: 0, acceptance: [] }, BY), task);
  const { rowCount } = await db.pool.query(`select from event where kind = 'task.changed'`);
  assert.equal(rowCount, 0);
});

test('of two who edit what they saw, the second is told what has changed meanwhile', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  const { id } = await aTask(db.pool);
  const was = { title: 'do it', priority: 0 };
  const ends = await Promise.allSettled([
    editTask(db.pool, id, { priority: 3, was }, BY),
    editTask(db.pool, id, { priority: 5, was }, BY),
  ]);
  const refused = ends.find((end) => end.status === 'rejected');
  const { priority } = await getTask(db.pool, id);
  assert.ok(priority === 3 || priority === 5);
  assert.equal(refused?.reason.code, 'ERR_CONFLICT');
  assert.deepEqual(refused.reason.details, { changed: { priority: { was: 0, is: priority } } });
});

test('of a task at work the priority may change alone, of one that has ended nothing', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aWorker(db.pool);
  const { id } = await aTask(db.pool);
  await claim(db.pool);
  assert.equal((await editTask(db.pool, id, { priority: 7 }, BY)).priority, 7);
  await assert.rejects(editTask(db.pool, id, { title: 'other' }, BY), {
    code: 'ERR_STATE',
    message: /is running; it is too late to change title/,
  });
  const other = await aTask(db.pool);
  await cancelTask(db.pool, other.id, 'ann');
  await assert.rejects(editTask(db.pool, other.id, { priority: 1 }, BY), { code: 'ERR_STATE' });
  await assert.rejects(editTask(db.pool, 99, { priority: 1 }, BY), { code: 'ERR_NOT_FOUND' });
});
