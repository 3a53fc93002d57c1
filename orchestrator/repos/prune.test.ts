import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { repositoryPath } from './mirror.ts';
import { pruneRunRefs } from './prune.ts';
import { leasedRun, verify, workshop } from './testing/workshop.ts';

test('refs of runs go when their task ended long ago and has no open change', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origin = shop.workingCopy('w');
  const { run, task } = await leasedRun(db.pool, { origin, title: 'x' });
  await verify(db.pool, shop, run, { 'sum.txt': '2\n' });
  const deps = { db: db.pool, store: shop.store };
  const { rows } = await db.pool.query<{ repository: number }>(
    'select repository from task_repository where task = $1',
    [task],
  );
  const mirror = repositoryPath(shop.store, rows[0]!.repository, 'mirror.git');
  const refs = async () =>
    await shop.store.git.text(['for-each-ref', '--format=%(refname)', 'refs/runs'], { gitDir: mirror });

  assert.equal(await pruneRunRefs(deps, 90), 0, 'the task has not ended');
  await db.pool.query(
    `update task set state = 'failed', pending_reason = null, finished_at = now() - interval '91 days'`,
  );
  await db.pool.query(
    `insert into change (task, repository, run, forge, branch, base_branch, base_commit, head_commit, title, body, state)
     select task, repository, $1, 'local', 'b', 'main', '', '', '', '', 'open' from task_repository`,
    [run],
  );
  assert.equal(await pruneRunRefs(deps, 90), 0, 'its change is open');
  await db.pool.query(`update change set state = 'merged'`);
  assert.equal(await refs(), `refs/runs/${run}`);
  assert.equal(await pruneRunRefs(deps, 90), 1);
  assert.equal(await refs(), '');
});
