import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { prepareBase } from './base.ts';
import { repositoryPath } from './mirror.ts';
import { leasedRun, nextRun, workshop } from './testing/workshop.ts';

test('a run starts at the base branch, and a repeated call gives the same answer', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origin = shop.workingCopy('w');
  const { run, repository } = await leasedRun(db.pool, { origin });
  const first = await prepareBase(db.pool, shop.store, run, 1);
  const commit = shop.git('w', 'rev-parse', 'main');
  assert.deepEqual(first, {
    repositories: [{ id: repository, baseCommit: commit, startCommit: commit }],
    ref: `refs/runs/${run}`,
  });
  shop.git('w', 'commit', '--quiet', '--allow-empty', '--message', 'second');
  assert.deepEqual(await prepareBase(db.pool, shop.store, run, 1), first);
});

test('a retry goes on from pushed work while the base is the same, and starts anew when it moved', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origin = shop.workingCopy('w');
  const { run, task, repository } = await leasedRun(db.pool, { origin });
  const { baseCommit } = (await prepareBase(db.pool, shop.store, run, 1)).repositories[0]!;
  const mirror = repositoryPath(shop.store, repository, 'mirror.git');
  const pushed = shop.git(
    'w',
    '--git-dir',
    mirror,
    'commit-tree',
    '-p',
    baseCommit,
    '-m',
    'work',
    `${baseCommit}^{tree}`,
  );
  shop.git('w', '--git-dir', mirror, 'update-ref', `refs/runs/${run}`, pushed);
  const second = await prepareBase(db.pool, shop.store, await nextRun(db.pool, task), 2);
  assert.deepEqual(second.repositories, [{ id: repository, baseCommit, startCommit: pushed }]);
  shop.git('w', 'commit', '--quiet', '--allow-empty', '--message', 'moved');
  const third = await prepareBase(db.pool, shop.store, await nextRun(db.pool, task), 3);
  assert.equal(third.repositories[0]?.startCommit, shop.git('w', 'rev-parse', 'main'));
});

test('work that does not grow from the base is not gone on from', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run, task, repository } = await leasedRun(db.pool, { origin: shop.workingCopy('w') });
  const { baseCommit } = (await prepareBase(db.pool, shop.store, run, 1)).repositories[0]!;
  const mirror = repositoryPath(shop.store, repository, 'mirror.git');
  const orphan = shop.git('w', '--git-dir', mirror, 'commit-tree', '-m', 'orphan', `${baseCommit}^{tree}`);
  shop.git('w', '--git-dir', mirror, 'update-ref', `refs/runs/${run}`, orphan);
  assert.equal(
    (await prepareBase(db.pool, shop.store, await nextRun(db.pool, task), 2)).repositories[0]?.startCommit,
    baseCommit,
  );
});

test('a missing branch, a stale fence and an ended run are refused', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origin = shop.workingCopy('w');
  const { run } = await leasedRun(db.pool, { origin, baseBranch: 'release' });
  await assert.rejects(prepareBase(db.pool, shop.store, run, 1), {
    code: 'ERR_BRANCH_UNKNOWN',
    remedy: /main/,
  });
  await assert.rejects(prepareBase(db.pool, shop.store, run, 2), { code: 'ERR_STALE_FENCE' });
  const other = await leasedRun(db.pool, { origin });
  await nextRun(db.pool, other.task);
  await assert.rejects(prepareBase(db.pool, shop.store, other.run, 1), { code: 'ERR_STALE_FENCE' });
});

test('a base whose ref was lost with the mirror is prepared again', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run, repository } = await leasedRun(db.pool, { origin: shop.workingCopy('w') });
  const first = await prepareBase(db.pool, shop.store, run, 1);
  const mirror = repositoryPath(shop.store, repository, 'mirror.git');
  shop.git('w', '--git-dir', mirror, 'update-ref', '-d', first.ref);
  assert.deepEqual(await prepareBase(db.pool, shop.store, run, 1), first);
});

test('a run in several repositories starts in each, and goes on where an earlier attempt pushed', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origins = { api: shop.workingCopy('a'), web: shop.workingCopy('b', { 'index.html': 'x\n' }) };
  const { run, task } = await leasedRun(db.pool, { origin: origins.api, more: { web: origins.web } });
  const first = await prepareBase(db.pool, shop.store, run, 1);
  assert.deepEqual(
    first.repositories.map(({ baseCommit }) => baseCommit),
    ['a', 'b'].map((folder) => shop.git(folder, 'rev-parse', 'main')),
  );
  const [api, web] = first.repositories;
  const mirror = repositoryPath(shop.store, web!.id, 'mirror.git');
  const grown = ['commit-tree', '-p', web!.baseCommit, '-m', 'work', `${web!.baseCommit}^{tree}`];
  const pushed = shop.git('b', '--git-dir', mirror, ...grown);
  shop.git('b', '--git-dir', mirror, 'update-ref', first.ref, pushed);
  const second = await prepareBase(db.pool, shop.store, await nextRun(db.pool, task), 2);
  assert.deepEqual(
    second.repositories.map(({ startCommit }) => startCommit),
    [api!.baseCommit, pushed],
  );
});
