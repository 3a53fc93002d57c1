import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Database } from '../db/connect.ts';
import { getChange, listChanges } from './changes.ts';
import { closeChange, mergeChange, refreshChange, refreshChanges } from './merge.ts';
import { resolveConflict } from './resolve.ts';
import { submitRun } from './submit.ts';
import { AUTHOR, leasedRun, nextRun, noForges, verify, workshop } from './testing/workshop.ts';
import type { Workshop } from './testing/workshop.ts';

const policy = { retries: { agent: 0, platform: 0, lost: 0, outOfTime: 0 }, retryBackoffSeconds: 1 };

/** An open change of `origin` that writes these files. */
async function openChange(
  db: Database,
  shop: Workshop,
  origin: string,
  files: Record<string, string>,
): Promise<{ id: number; branch: string }> {
  const { run } = await leasedRun(db, { origin });
  await verify(db, shop, run, files);
  await submitRun(
    { db, store: shop.store, author: AUTHOR, forges: noForges(db), currency: 'USD', policy },
    run,
  );
  return (await listChanges(db))[0]!;
}

test('a change is merged, forward where it can be and by a merge commit where not', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const deps = { db: db.pool, store: shop.store, author: AUTHOR, forges: noForges(db.pool) };
  const origin = shop.bare('b.git');
  const first = await openChange(db.pool, shop, origin, { 'a.txt': 'a\n' });
  const second = await openChange(db.pool, shop, origin, { 'b.txt': 'b\n' });
  assert.equal((await mergeChange(deps, first.id)).state, 'merged');
  assert.equal(shop.git('b.git', 'rev-parse', 'main'), shop.git('b.git', 'rev-parse', first.branch));
  const merged = await mergeChange(deps, second.id);
  assert.notEqual(merged.closedAt, null);
  assert.equal(shop.git('b.git', 'log', '-1', '--format=%an %p', 'main').split(' ').length, 3);
  assert.equal(shop.git('b.git', 'ls-tree', '--name-only', 'main'), 'README.md\na.txt\nb.txt');
  await assert.rejects(mergeChange(deps, second.id), { code: 'ERR_STATE' });
  const { rows } = await db.pool.query(`select count(*) as count from event where kind = 'change.merged'`);
  assert.equal(rows[0].count, 2);
});

test('a conflict names its files and leaves the base as it is', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const deps = { db: db.pool, store: shop.store, author: AUTHOR, forges: noForges(db.pool) };
  const origin = shop.bare('b.git');
  const first = await openChange(db.pool, shop, origin, { 'README.md': 'one\n', 'x.txt': 'x\n' });
  const second = await openChange(db.pool, shop, origin, { 'README.md': 'two\n' });
  await mergeChange(deps, first.id);
  const before = shop.git('b.git', 'rev-parse', 'main');
  await assert.rejects(mergeChange(deps, second.id), {
    code: 'ERR_MERGE_CONFLICT',
    details: { files: ['README.md'] },
  });
  assert.equal(shop.git('b.git', 'rev-parse', 'main'), before);
  assert.equal((await getChange(db.pool, second.id)).state, 'open');
});

test('a base branch that is checked out is not pushed to; what to type does it, and is noticed', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const deps = { db: db.pool, store: shop.store, author: AUTHOR, forges: noForges(db.pool) };
  const origin = shop.workingCopy('my work');
  const { id, branch } = await openChange(db.pool, shop, origin, { 'a.txt': 'a\n' });
  await assert.rejects(mergeChange(deps, id), {
    code: 'ERR_BRANCH_CHECKED_OUT',
    remedy: `Merge it there: git -C '${origin}' merge ${branch}`,
  });
  await refreshChange(deps, id);
  assert.equal((await getChange(db.pool, id)).state, 'open');
  shop.git('my work', 'merge', '--quiet', branch);
  await refreshChange(deps, id);
  assert.equal((await getChange(db.pool, id)).state, 'merged');
});

test('a squashed merge is noticed, and one repository that is gone does not hide the others', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const gone = shop.bare('gone.git');
  await openChange(db.pool, shop, gone, { 'a.txt': 'a\n' });
  shop.git('.', 'init', '--quiet', 'x');
  await db.pool.query('update repository set origin = $1', [`${shop.dir}/nothing`]);
  const change = await openChange(db.pool, shop, shop.workingCopy('w'), { 'a.txt': 'a\n' });
  shop.git('w', 'merge', '--quiet', '--squash', change.branch);
  shop.git('w', 'commit', '--quiet', '--message', 'squashed');
  const errors: number[] = [];
  await refreshChanges(
    { db: db.pool, store: shop.store, author: AUTHOR, forges: noForges(db.pool) },
    (_error, repository) => errors.push(repository),
  );
  assert.equal(errors.length, 1);
  assert.deepEqual(
    (await listChanges(db.pool)).map((each) => each.state),
    ['merged', 'open'],
  );
});

test('a merge that was cut off after its push is finished by the next try', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origin = shop.bare('b.git');
  const { id } = await openChange(db.pool, shop, origin, { 'a.txt': 'a\n' });
  const { git } = shop.store;
  const cut: typeof git = {
    ...git,
    run: async (args, options) => {
      const result = await git.run(args, options);
      if (args[0] === 'push') throw new Error('cut off');
      return result;
    },
  };
  await assert.rejects(
    mergeChange(
      { db: db.pool, store: { ...shop.store, git: cut }, author: AUTHOR, forges: noForges(db.pool) },
      id,
    ),
    /cut off/,
  );
  const merged = await mergeChange(
    { db: db.pool, store: shop.store, author: AUTHOR, forges: noForges(db.pool) },
    id,
  );
  assert.equal(merged.state, 'merged');
  assert.equal(shop.git('b.git', 'rev-parse', 'main'), merged.headCommit);
});

test('a change is closed once, and listed by state and project', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const deps = { db: db.pool, store: shop.store, author: AUTHOR, forges: noForges(db.pool) };
  const change = await openChange(db.pool, shop, shop.workingCopy('w'), { 'a.txt': 'a\n' });
  assert.equal((await closeChange(deps, change.id)).state, 'closed');
  await assert.rejects(closeChange(deps, change.id), { code: 'ERR_STATE' });
  await assert.rejects(closeChange(deps, 999), { code: 'ERR_NOT_FOUND' });
  assert.equal((await listChanges(db.pool, { state: 'open' })).length, 0);
  const { project } = await getChange(db.pool, change.id);
  assert.equal((await listChanges(db.pool, { project })).length, 1);
  assert.equal((await listChanges(db.pool, { project: 'other' })).length, 0);
});

test('a change that conflicts is given back to its agent upon its base as that is now, and merges then', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const deps = { db: db.pool, store: shop.store, author: AUTHOR, forges: noForges(db.pool) };
  const origin = shop.bare('b.git', { 'a.txt': 'one\n', 'b.txt': 'b\n' });
  const first = await openChange(db.pool, shop, origin, { 'a.txt': 'first\n', 'x.txt': 'x\n' });
  const second = await openChange(db.pool, shop, origin, { 'a.txt': 'second\n', 'b.txt': 'more\n' });
  const said = { author: 'ann', words: 'Both, please.' };
  await assert.rejects(resolveConflict(deps, second.id, said), {
    code: 'ERR_STATE',
    message: /does not conflict/,
  });
  await mergeChange(deps, first.id);
  const { task } = await resolveConflict(deps, second.id, said);
  await assert.rejects(resolveConflict(deps, second.id, said), {
    code: 'ERR_STATE',
    message: /is (pending|queued)/,
  });
  const { rows } = await db.pool.query('select text from task_message where task = $1', [task]);
  assert.match(rows[0].text, /conflicts with main in a\.txt\.[^]*Both, please\.$/);

  const run = await nextRun(db.pool, task);
  const { base } = await verify(db.pool, shop, run, {});
  assert.equal(base, shop.git('b.git', 'rev-parse', 'main'));
  const there = (file: string) => shop.git(`work-${run}-2`, 'show', `work:${file}`);
  assert.match(there('a.txt'), /^<<<<<<<[^]*first\n=======\nsecond\n>>>>>>>/);
  assert.deepEqual([there('b.txt'), there('x.txt')], ['more', 'x']);
  const again = await nextRun(db.pool, task);
  await verify(db.pool, shop, again, { 'a.txt': 'first and second\n' });
  await submitRun({ ...deps, currency: 'USD', policy }, again);
  const change = await getChange(db.pool, second.id);
  assert.deepEqual([change.baseCommit, change.branch], [base, second.branch]);
  await refreshChange(deps, second.id);
  assert.equal((await getChange(db.pool, second.id)).mergeable, 'yes');
  assert.equal((await mergeChange(deps, second.id)).state, 'merged');
  assert.equal(shop.git('b.git', 'show', 'main:a.txt'), 'first and second');
});
