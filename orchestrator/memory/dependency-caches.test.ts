// Which versions of the caches of dependencies count: what runs leave, what later ones are told, what people see.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkOrder } from '../../protocol/worker.ts';
import { testDatabase } from '../../test/support/database.ts';
import type { Queryable } from '../db/connect.ts';
import { finishRun } from '../tasks/finish.ts';
import { updateProject } from '../tasks/projects.ts';
import { aProject, aTask, aWorker, claim, POLICY, report } from '../tasks/testing/work.ts';
import {
  clearDependencyCaches,
  dependenciesOfRun,
  keepDependencies,
  listDependencyCaches,
} from './dependency-caches.ts';

async function begun(db: Queryable): Promise<WorkOrder> {
  await aTask(db, 'p');
  return (await claim(db))!;
}

async function leave(db: Queryable, { run, fence }: WorkOrder, bytes = 1000): Promise<void> {
  const { generation } = await dependenciesOfRun(db, run);
  await keepDependencies(db, run, { fence, generation, kind: 'bubblewrap', bytes });
}

async function end(db: Queryable, order: WorkOrder, outcome: 'no-change' | 'failed'): Promise<void> {
  const cause = outcome === 'failed' ? { cause: 'agent' as const } : {};
  const policy = { ...POLICY, retries: { ...POLICY.retries, agent: 0 } };
  await finishRun(db, order.run, report(order, { outcome, ...cause }), policy);
}

const versions = async (db: Queryable, { run }: WorkOrder) => (await dependenciesOfRun(db, run)).versions;
const listed = async (db: Queryable) =>
  (await listDependencyCaches(db, 'p')).map(({ worker, kind, run, bytes }) => [worker, kind, run, bytes]);

test('what a run leaves counts once it has succeeded, and never when it has failed', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p');
  await aWorker(db.pool);
  const first = await begun(db.pool);
  assert.deepEqual(await dependenciesOfRun(db.pool, first.run), {
    kept: true,
    repository: 1,
    generation: 0,
    versions: [],
  });
  await leave(db.pool, first);
  await leave(db.pool, first, 1500);
  assert.deepEqual(await listed(db.pool), [], 'the run has not ended');
  await end(db.pool, first, 'no-change');
  const failing = await begun(db.pool);
  assert.deepEqual(await versions(db.pool, failing), ['1-1']);
  await leave(db.pool, failing);
  await end(db.pool, failing, 'failed');
  const third = await begun(db.pool);
  assert.deepEqual(await versions(db.pool, third), ['1-1']);
  await leave(db.pool, third, 2000);
  await end(db.pool, third, 'no-change');
  const [[worker, kind, run, bytes] = []] = await listed(db.pool);
  assert.deepEqual([typeof worker, kind, run, bytes], ['string', 'bubblewrap', '3-1', 2000]);
  const { rows } = await db.pool.query<{ run: string }>('select run from dependency_cache order by run');
  assert.deepEqual(
    rows.map((row) => row.run),
    ['1-1', '3-1'],
    'the one before stays until the next run leaves one',
  );
});

test('a runner whose fence is stale leaves nothing', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p');
  await aWorker(db.pool);
  const order = await begun(db.pool);
  await assert.rejects(leave(db.pool, { ...order, fence: 7 }), { code: 'ERR_STALE_FENCE' });
  await end(db.pool, order, 'no-change');
  await assert.rejects(leave(db.pool, order), { code: 'ERR_STALE_FENCE' });
  assert.deepEqual(await listed(db.pool), []);
});

test('after a clearing nothing from before counts, nor what a run leaves that was given it', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p');
  await aWorker(db.pool);
  const first = await begun(db.pool);
  await leave(db.pool, first);
  await end(db.pool, first, 'no-change');
  const second = await begun(db.pool);
  const { generation } = await dependenciesOfRun(db.pool, second.run);
  assert.deepEqual(await clearDependencyCaches(db.pool, 'p'), ['p']);
  assert.deepEqual(await versions(db.pool, second), []);
  const derived = { fence: second.fence, generation, kind: 'bubblewrap', bytes: 1 };
  const cleared = { code: 'ERR_CONFLICT', message: /cleared/ };
  await assert.rejects(keepDependencies(db.pool, second.run, derived), cleared);
  await end(db.pool, second, 'no-change');
  const third = await begun(db.pool);
  await leave(db.pool, third);
  await end(db.pool, third, 'no-change');
  assert.deepEqual(
    (await listed(db.pool)).map(([, , run]) => run),
    ['3-1'],
  );
});

test('a project that keeps none gives none and takes none', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p');
  await aWorker(db.pool);
  const first = await begun(db.pool);
  await leave(db.pool, first);
  await end(db.pool, first, 'no-change');
  assert.equal((await updateProject(db.pool, 'p', { dependencyCaches: false })).dependencyCaches, false);
  const second = await begun(db.pool);
  const told = await dependenciesOfRun(db.pool, second.run);
  assert.deepEqual([told.kept, told.versions], [false, []]);
  await assert.rejects(leave(db.pool, second), { code: 'ERR_CONFLICT' });
});
