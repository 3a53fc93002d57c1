// Tasks as cards: which column each is in, in which order, and what filters let through.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/support/database.ts';
import { getBoard, listCards } from './board.ts';
import { aProject, aTask, aWorker, claim } from './testing/work.ts';

let db: TestDatabase;
before(async () => {
  db = await testDatabase();
  await aProject(db.pool, 'shop');
  await aProject(db.pool, 'web');
});
after(async () => await db[Symbol.asyncDispose]());

const counts = async (filter = {}) =>
  Object.fromEntries(
    (await getBoard(db.pool, { cards: 10, ...filter })).map(({ column, count }) => [column, count]),
  );
const ids = async (want: object) => (await listCards(db.pool, { limit: 10, ...want })).map(({ id }) => id);

test('a task is in the column of its state, a completed one with an open change in review', async () => {
  await aWorker(db.pool);
  await aTask(db.pool, 'shop', { title: 'first' });
  assert.equal((await claim(db.pool))?.run, '1-1');
  for (const title of ['second', 'third', '100%', 'fifth']) await aTask(db.pool, 'shop', { title });
  await aTask(db.pool, 'web', { title: '<b>sixth</b>', priority: 3 });
  await db.pool.query(
    `update task set state = 'completed', pending_reason = null, finished_at = now() where id in (1, 2)`,
  );
  await db.pool.query(
    `update task set state = 'failed', pending_reason = null, finished_at = now() where id = 3`,
  );
  await db.pool.query(`update task set state = 'queued', pending_reason = null where id = 4`);
  await db.pool.query(
    `insert into change (task, repository, run, forge, branch, base_branch, base_commit, head_commit, title, body, state)
     values (1, 1, '1-1', 'local', 'b', 'main', 'c', 'd', 't', '', 'open')`,
  );
  assert.deepEqual(await counts(), { waiting: 1, queued: 2, running: 0, review: 1, done: 1, failed: 1 });
  const [card] = await listCards(db.pool, { column: 'review', limit: 1 });
  const change = { id: 1, state: 'open', review: 'none', mergeable: 'unknown' };
  assert.deepEqual([card?.id, card?.changes, card?.source], [1, [change], 'api']);
});

test('those queued are in the order of the queue, the others newest first, page after page', async () => {
  assert.deepEqual(await ids({ column: 'queued' }), [6, 4]);
  assert.deepEqual(await ids({ column: 'queued', before: 6 }), [4]);
  assert.deepEqual(await ids({ limit: 2 }), [6, 5]);
  assert.deepEqual(await ids({ limit: 2, before: 5 }), [4, 3]);
  assert.deepEqual(await ids({ ids: [2, 3, 99] }), [3, 2]);
});

test('filters are by project, source, and words or the number of a task, taken as they are', async () => {
  assert.deepEqual(await ids({ project: 'web' }), [6]);
  assert.deepEqual(await ids({ projects: [1], ids: [5, 6] }), [5]);
  assert.deepEqual(await ids({ text: '%' }), [4]);
  assert.deepEqual(await ids({ text: '#2' }), [2]);
  assert.deepEqual(await ids({ text: 'SIXTH' }), [6]);
  assert.deepEqual(await ids({ source: 'jira' }), []);
  assert.deepEqual(await counts({ project: 'web' }), {
    waiting: 0,
    queued: 1,
    running: 0,
    review: 0,
    done: 0,
    failed: 0,
  });
});
