import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { getRun } from '../tasks/queries.ts';
import { prepareBase } from './base.ts';
import { compareRuns } from './compare.ts';
import { leasedRun, nextRun, verify, workshop } from './testing/workshop.ts';

test('the results of two runs are compared, also with one that changed nothing', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run, task } = await leasedRun(db.pool, { origin: shop.workingCopy('w') });
  await verify(db.pool, shop, run, { 'a.txt': 'one\n', 'same.txt': 'same\n' });
  const second = await nextRun(db.pool, task);
  await verify(db.pool, shop, second, { 'a.txt': 'two\n', 'same.txt': 'same\n' });
  const third = await nextRun(db.pool, task);
  await prepareBase(db.pool, shop.store, third, 3);
  const read = async (id: string) => await getRun(db.pool, id);
  const patch = await compareRuns(shop.store, await read(run), await read(second), 'patch');
  assert.match(patch, /^-one$/m);
  assert.match(patch, /^\+two$/m);
  assert.doesNotMatch(patch, /same/);
  const names = await compareRuns(shop.store, await read(third), await read(second), 'names');
  assert.equal(names, 'A\ta.txt\nA\tsame.txt\n');
});

test('runs of different repositories, and one without a base, are refused', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const one = await leasedRun(db.pool, { origin: shop.workingCopy('w') });
  const other = await leasedRun(db.pool, { origin: shop.workingCopy('v') });
  const unbegun = await nextRun(db.pool, one.task);
  const read = async (id: string) => await getRun(db.pool, id);
  await assert.rejects(compareRuns(shop.store, await read(one.run), await read(other.run), 'patch'), {
    code: 'ERR_INVALID_INPUT',
    message: /different repositories/,
  });
  await assert.rejects(compareRuns(shop.store, await read(one.run), await read(unbegun), 'patch'), {
    code: 'ERR_STATE',
    message: /nothing to compare/,
  });
});

test('a run done again starts at the commit of the first, though the branch has moved; a lost commit is told', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run, task } = await leasedRun(db.pool, { origin: shop.workingCopy('w') });
  const { base } = await verify(db.pool, shop, run, { 'a.txt': 'one\n' });
  shop.git('w', 'commit', '--quiet', '--allow-empty', '--message', 'moved');
  await db.pool.query('update task set replay_of = $2 where id = $1', [task, run]);
  const again = await nextRun(db.pool, task);
  const [place] = (await prepareBase(db.pool, shop.store, again, 2)).repositories;
  assert.deepEqual(
    [place?.baseCommit, place?.startCommit],
    [base, base],
    "the first one's work is not in it",
  );
  await db.pool.query(`update run_repository set base_commit = $2 where run = $1`, [run, 'c'.repeat(40)]);
  const third = await nextRun(db.pool, task);
  await assert.rejects(prepareBase(db.pool, shop.store, third, 3), {
    code: 'ERR_INVALID_INPUT',
    message: /cannot be done again: the commit c+ .* not in the mirror/,
  });
});
