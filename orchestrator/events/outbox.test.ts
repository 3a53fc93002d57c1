import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Event } from '../../protocol/event.ts';
import { transaction } from '../db/connect.ts';
import { emit, latestCursor, readEvents } from './outbox.ts';
import { settledEvents } from './testing/settled.ts';

const at = (events: Event[]) => events.map((event) => event.data.n);

test('events are read in order, in pages, each once', async () => {
  await using db = await testDatabase();
  for (let n = 0; n < 5; n++) await emit(db.pool, { kind: 'task.created', task: n, data: { n } });
  await settledEvents(db.pool);
  const first = await readEvents(db.pool, { after: null, limit: 3 });
  const second = await readEvents(db.pool, { after: first.at(-1)!.id, limit: 3 });
  assert.deepEqual([...at(first), ...at(second)], [0, 1, 2, 3, 4]);
  assert.deepEqual(await readEvents(db.pool, { after: await latestCursor(db.pool), limit: 3 }), []);
});

test('filters narrow by project, task, run and kind', async () => {
  await using db = await testDatabase();
  await emit(db.pool, { kind: 'task.created', project: 1, task: 1 });
  await emit(db.pool, { kind: 'run.created', project: 1, task: 1, run: '1-1' });
  await emit(db.pool, { kind: 'task.created', project: 2, task: 2 });
  const count = async (filter: object) => (await settledEvents(db.pool, filter)).length;
  assert.equal(await count({}), 3);
  assert.equal(await count({ project: 1 }), 2);
  assert.equal(await count({ task: 2 }), 1);
  assert.equal(await count({ run: '1-1' }), 1);
  assert.equal(await count({ kinds: ['task.created'], project: 1 }), 1);
});

test('an event that is rolled back never happened', async () => {
  await using db = await testDatabase();
  const broken = transaction(db.pool, async (tx) => {
    await emit(tx, { kind: 'task.created' });
    throw new Error('changed its mind');
  });
  await assert.rejects(broken);
  assert.deepEqual(await settledEvents(db.pool), []);
});

test('an older transaction that is still open delays readers and is not skipped', async () => {
  await using db = await testDatabase();
  const slow = await db.pool.connect();
  await slow.query('begin');
  await emit(slow, { kind: 'task.created', data: { n: 'slow' } });
  await emit(db.pool, { kind: 'task.created', data: { n: 'quick' } });
  const seen = await readEvents(db.pool, { after: null, limit: 9 });
  assert.deepEqual(seen, []);
  await slow.query('commit');
  slow.release();
  assert.deepEqual(at(await settledEvents(db.pool)), ['slow', 'quick']);
});
