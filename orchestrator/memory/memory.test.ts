// Both files of this folder: what runs leave is what people see and later runs are given.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunMemoryUpdate } from '../../protocol/memory.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import { testDatabase } from '../../test/support/database.ts';
import type { Queryable } from '../db/connect.ts';
import { finishRun } from '../tasks/finish.ts';
import { updateProject } from '../tasks/projects.ts';
import { sweep } from '../tasks/sweep.ts';
import {
  aProject,
  aTask,
  aWorker,
  claim,
  expireLeases,
  POLICY,
  report,
  SWEEP,
} from '../tasks/testing/work.ts';
import { clearMemory, listMemory, readMemory } from './project-memory.ts';
import { keepMemory, memoryOfRun } from './run-memory.ts';

// In pieces, so that nobody's search finds it here.
const TOKEN = `gh${'p_'}wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx`;

async function project(db: Queryable, repositories?: string[]): Promise<void> {
  await aProject(db, 'p', {}, repositories);
  await aWorker(db);
}

async function begun(db: Queryable, more: Parameters<typeof aTask>[2] = {}): Promise<WorkOrder> {
  await aTask(db, 'p', more);
  return (await claim(db))!;
}

async function leave(db: Queryable, order: WorkOrder, text: string, repository = 1) {
  const given = await memoryOfRun(db, order.run);
  const from = given.repositories.find((each) => each.repository === repository)?.version ?? null;
  const files = text === '' ? [] : [{ path: 'notes.md', text }];
  return await keepMemory(db, order.run, { fence: order.fence, repository, from, files });
}

async function end(db: Queryable, order: WorkOrder, outcome: 'no-change' | 'failed'): Promise<void> {
  const cause = outcome === 'failed' ? { cause: 'agent' as const } : {};
  await finishRun(db, order.run, report(order, { outcome, ...cause }), {
    ...POLICY,
    retries: { ...POLICY.retries, agent: 0 },
  });
}

const texts = async (db: Queryable) =>
  (await readMemory(db, 'p', {})).map(({ repository, files }) => [
    repository,
    ...files.map(({ text }) => text),
  ]);

test('what a run leaves comes to the next one once it has succeeded, each change a version', async () => {
  await using db = await testDatabase();
  await project(db.pool);
  const first = await begun(db.pool);
  assert.deepEqual(await memoryOfRun(db.pool, first.run), {
    kept: true,
    repositories: [{ repository: 1, version: null, files: [] }],
  });
  const version = await leave(db.pool, first, 'one');
  assert.equal(await leave(db.pool, first, 'one'), version, 'the answer was lost: it comes again');
  assert.deepEqual(await readMemory(db.pool, 'p', {}), [], 'the run has not ended');
  await end(db.pool, first, 'no-change');
  const second = await begun(db.pool);
  const given = await memoryOfRun(db.pool, second.run);
  assert.deepEqual(given.repositories, [
    { repository: 1, version, files: [{ path: 'notes.md', text: 'one' }] },
  ]);
  assert.equal(await leave(db.pool, second, 'one'), null, 'nothing has changed');
  await leave(db.pool, second, 'two');
  await end(db.pool, second, 'no-change');
  const log = await listMemory(db.pool, 'p');
  assert.deepEqual(
    log.map(({ run, count, bytes }) => [run, count, bytes]),
    [
      ['2-1', 1, 3],
      ['1-1', 1, 3],
    ],
  );
  const [old] = await readMemory(db.pool, 'p', { version: version! });
  assert.deepEqual(old?.files, [{ path: 'notes.md', text: 'one' }]);
  await assert.rejects(readMemory(db.pool, 'p', { version: 99 }), { code: 'ERR_NOT_FOUND' });
});

test('a run that fails or is lost leaves nothing; one that is back in time does', async () => {
  await using db = await testDatabase();
  await project(db.pool);
  const failing = await begun(db.pool);
  await leave(db.pool, failing, 'bad');
  await end(db.pool, failing, 'failed');
  assert.deepEqual(await texts(db.pool), []);
  const lost = await begun(db.pool);
  await expireLeases(db.pool);
  await sweep(db.pool, SWEEP);
  await leave(db.pool, lost, 'late but ours');
  await end(db.pool, lost, 'no-change');
  assert.deepEqual(await texts(db.pool), [['p', 'late but ours']]);
});

test('a runner whose fence is stale, or whose run has ended, changes nothing', async () => {
  await using db = await testDatabase();
  await project(db.pool);
  const order = await begun(db.pool);
  await assert.rejects(leave(db.pool, { ...order, fence: 7 }, 'stale'), { code: 'ERR_STALE_FENCE' });
  await leave(db.pool, order, 'mine');
  await end(db.pool, order, 'no-change');
  await assert.rejects(leave(db.pool, order, 'after the end'), { code: 'ERR_STALE_FENCE' });
  assert.deepEqual(await texts(db.pool), [['p', 'mine']]);
});

test('notes with a secret are refused, without showing it, and the old ones stay', async () => {
  await using db = await testDatabase();
  await project(db.pool);
  const first = await begun(db.pool);
  await leave(db.pool, first, 'good');
  await end(db.pool, first, 'no-change');
  const second = await begun(db.pool);
  await assert.rejects(leave(db.pool, second, `token: ${TOKEN}`), (error: Error) => {
    assert.match(error.message, /notes\.md: line 1 looks like a secret/);
    return !error.message.includes(TOKEN);
  });
  await end(db.pool, second, 'no-change');
  assert.deepEqual(await texts(db.pool), [['p', 'good']]);
});

test('what is too large, too many, badly named or not text is refused', () => {
  const input = (files: object[]) =>
    RunMemoryUpdate.safeParse({ fence: 1, repository: 1, from: null, files }).success;
  const named = (path: string) => input([{ path, text: '' }]);
  assert.ok(input([{ path: 'build/how-to.md', text: 'x'.repeat(256 * 1024) }]));
  assert.ok(
    !input([
      { path: 'a', text: 'é'.repeat(128 * 1024) },
      { path: 'b', text: 'x' },
    ]),
  );
  assert.ok(!input(Array.from({ length: 65 }, (_, index) => ({ path: `f${index}`, text: '' }))));
  assert.deepEqual(['../a', '/a', 'a/../b', '.git/config', 'a\nb', 'a//b', ''].filter(named), []);
  assert.ok(!input([{ path: 'a', text: 'x\0y' }]));
});

test('cleared notes are gone with their versions, also for the run that was given them', async () => {
  await using db = await testDatabase();
  await project(db.pool);
  const first = await begun(db.pool);
  await leave(db.pool, first, 'poison');
  await end(db.pool, first, 'no-change');
  const second = await begun(db.pool);
  const from = (await memoryOfRun(db.pool, second.run)).repositories[0]!.version;
  assert.deepEqual(await clearMemory(db.pool, 'p', 'ann'), ['p']);
  const derived = {
    fence: second.fence,
    repository: 1,
    from,
    files: [{ path: 'notes.md', text: 'poison, again' }],
  };
  await assert.rejects(keepMemory(db.pool, second.run, derived), {
    code: 'ERR_CONFLICT',
    message: /cleared/,
  });
  await end(db.pool, second, 'no-change');
  assert.deepEqual(await texts(db.pool), [['p']]);
  assert.deepEqual(
    (await listMemory(db.pool, 'p')).map(({ run, clearedBy }) => [run, clearedBy]),
    [[null, 'ann']],
  );
  const third = await begun(db.pool);
  await leave(db.pool, third, 'clean');
  await end(db.pool, third, 'no-change');
  assert.deepEqual(await texts(db.pool), [['p', 'clean']]);
});

test('two runs at once keep notes each about its own repository, and neither about the other', async () => {
  await using db = await testDatabase();
  await project(db.pool, ['api', 'web']);
  const api = await begun(db.pool, { repositories: ['api'] });
  const web = await begun(db.pool, { repositories: ['web'] });
  await Promise.all([leave(db.pool, api, 'of api', 1), leave(db.pool, web, 'of web', 2)]);
  await assert.rejects(leave(db.pool, api, 'of another', 2), { code: 'ERR_CONFLICT' });
  await Promise.all([end(db.pool, api, 'no-change'), end(db.pool, web, 'no-change')]);
  assert.deepEqual(await texts(db.pool), [
    ['api', 'of api'],
    ['web', 'of web'],
  ]);
  await clearMemory(db.pool, 'p', 'ann', 'web');
  assert.deepEqual(await texts(db.pool), [['api', 'of api'], ['web']]);
});

test('a project that keeps none gives none and takes none; what was kept is there when it is on again', async () => {
  await using db = await testDatabase();
  await project(db.pool);
  const first = await begun(db.pool);
  await leave(db.pool, first, 'one');
  await end(db.pool, first, 'no-change');
  await updateProject(db.pool, 'p', { memory: false });
  const second = await begun(db.pool);
  assert.deepEqual(await memoryOfRun(db.pool, second.run), { kept: false, repositories: [] });
  await assert.rejects(leave(db.pool, second, 'two'), { code: 'ERR_CONFLICT' });
  await end(db.pool, second, 'no-change');
  await updateProject(db.pool, 'p', { memory: true });
  assert.deepEqual(await texts(db.pool), [['p', 'one']]);
});

test('the oldest versions go when there are too many, and those of failed runs', async () => {
  await using db = await testDatabase();
  await project(db.pool);
  await db.pool.query(
    `insert into memory (repository, cleared_by, files, bytes) select 1, 'ann', '[]', 0 from generate_series(1, 60)`,
  );
  const failing = await begun(db.pool);
  await leave(db.pool, failing, 'bad');
  await end(db.pool, failing, 'failed');
  const order = await begun(db.pool);
  await leave(db.pool, order, 'new');
  await end(db.pool, order, 'no-change');
  const { rows } = await db.pool.query('select run from memory');
  assert.equal(rows.length, 51);
  assert.deepEqual(
    rows.filter(({ run }) => run !== null),
    [{ run: order.run }],
  );
});
