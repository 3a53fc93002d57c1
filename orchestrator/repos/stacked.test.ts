import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Database } from '../db/connect.ts';
import { prepareBase } from './base.ts';
import { listChanges } from './changes.ts';
import { closeChange, mergeChange } from './merge.ts';
import { withProjectFile } from './project-file/at-base.ts';
import { submitRun } from './submit.ts';
import { depsOf, stateOf } from './testing/submission.ts';
import { anotherRun, leasedRun, nextRun, verify, workshop, type Workshop } from './testing/workshop.ts';

const BASE = { 'a.txt': 'one\ntwo\nthree\n', 'b.txt': 'b\n' };

/** A project that stacks, with an open change of its first task. */
async function stacking(db: Database, shop: Workshop): Promise<{ origin: string; first: string }> {
  const origin = shop.bare('b.git', BASE);
  const { run } = await leasedRun(db, { origin, title: 'first' });
  await db.query(`update project set after_change = 'stack'`);
  await verify(db, shop, run, { 'a.txt': 'ONE\ntwo\nthree\n' });
  await submitRun(depsOf(db, shop), run);
  return { origin, first: (await listChanges(db))[0]!.headCommit };
}

const newest = async (db: Database) => (await listChanges(db))[0]!;

test('the next task begins at the open change, and its own change says what it is built upon', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { first } = await stacking(db.pool, shop);
  const run = await anotherRun(db.pool, 'second');
  const { base } = await verify(db.pool, shop, run, { 'a.txt': 'ONE\ntwo\nTHREE\n' });
  assert.equal(base, first);
  await submitRun(depsOf(db.pool, shop), run);
  const change = await newest(db.pool);
  assert.deepEqual([change.baseBranch, change.baseCommit], ['main', first]);
  assert.match(
    change.body,
    /## Built upon\n\n`autocode\/1-first` \(change 1\) is not merged yet: merge that first/,
  );
  assert.equal(shop.git('b.git', 'rev-parse', `${change.branch}^`), first);
});

test('a change is not merged before the one that it is built upon, nor when that was closed', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const deps = depsOf(db.pool, shop);
  await stacking(db.pool, shop);
  for (const title of ['second', 'third']) {
    const run = await anotherRun(db.pool, title);
    await verify(db.pool, shop, run, { [title]: title });
    await submitRun(deps, run);
  }
  await assert.rejects(mergeChange(deps, 2), { code: 'ERR_STATE', message: /upon change 1, which is open/ });
  await mergeChange(deps, 1);
  await closeChange(deps, 2);
  await assert.rejects(mergeChange(deps, 3), {
    code: 'ERR_STATE',
    message: /upon change 2, which is closed/,
  });
});

for (const method of ['merge', 'squash']) {
  test(`a change that was merged by ${method} meanwhile is what the result is moved upon`, async () => {
    using shop = workshop();
    await using db = await testDatabase();
    await stacking(db.pool, shop);
    const run = await anotherRun(db.pool, 'second');
    await verify(db.pool, shop, run, { 'a.txt': 'ONE\nTWO\nthree\n' });
    await db.pool.query('update project set merge_method = $1', [method]);
    await mergeChange(depsOf(db.pool, shop), 1);
    await submitRun(depsOf(db.pool, shop), run);
    const change = await newest(db.pool);
    assert.equal(change.baseCommit, shop.git('b.git', 'rev-parse', 'main'));
    assert.equal(shop.git('b.git', 'rev-parse', `${change.branch}^`), change.baseCommit);
    assert.equal(shop.git('b.git', 'show', `${change.branch}:a.txt`), 'ONE\nTWO\nthree');
    assert.doesNotMatch(change.body, /Built upon/);
    assert.equal(shop.git('b.git', 'diff', '--stat', '--name-only', 'main', change.branch), 'a.txt');
  });
}

test('a change that got another commit meanwhile is what the result is moved upon', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  await stacking(db.pool, shop);
  const run = await anotherRun(db.pool, 'second');
  await verify(db.pool, shop, run, { 'c.txt': 'c\n' });
  shop.git('.', 'clone', '--quiet', '--branch', 'autocode/1-first', 'b.git', 'review');
  shop.write('review', { 'b.txt': 'B\n' });
  shop.git('review', 'commit', '--quiet', '--all', '--message', 'by a reviewer');
  shop.git('review', 'push', '--quiet');
  await submitRun(depsOf(db.pool, shop), run);
  const { branch } = await newest(db.pool);
  assert.equal(shop.git('b.git', 'rev-parse', `${branch}^`), shop.git('review', 'rev-parse', 'HEAD'));
  assert.equal(shop.git('b.git', 'show', `${branch}:b.txt`), 'B');
});

test('a submission that is repeated after the move goes on from it', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { origin } = await stacking(db.pool, shop);
  const run = await anotherRun(db.pool, 'second');
  await verify(db.pool, shop, run, { 'c.txt': 'c\n' });
  await mergeChange(depsOf(db.pool, shop), 1);
  const deps = depsOf(db.pool, shop);
  const cut = {
    ...deps,
    forges: { ...deps.forges, open: async () => await Promise.reject(new Error('killed')) },
  };
  await assert.rejects(submitRun(cut, run), /killed/);
  shop.git('.', 'clone', '--quiet', origin, 'more');
  shop.git('more', 'commit', '--quiet', '--allow-empty', '--message', 'main moves on');
  shop.git('more', 'push', '--quiet');
  await submitRun(deps, run);
  const change = await newest(db.pool);
  assert.equal(shop.git('b.git', 'rev-parse', `${change.branch}^`), change.baseCommit);
  assert.deepEqual(await listChanges(db.pool, { state: 'open' }).then((all) => all.length), 1);
});

test('upon a change that was closed, or that it conflicts with by now, a result begins again', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { origin } = await stacking(db.pool, shop);
  const run = await anotherRun(db.pool, 'second');
  await verify(db.pool, shop, run, { 'b.txt': 'B\n' });
  shop.git('.', 'clone', '--quiet', origin, 'more');
  shop.write('more', { 'b.txt': 'other\n' });
  shop.git('more', 'commit', '--quiet', '--all', '--message', 'by a person');
  shop.git('more', 'push', '--quiet');
  await mergeChange(depsOf(db.pool, shop), 1);
  await submitRun(depsOf(db.pool, shop), run);
  const state = await stateOf(db.pool, run);
  assert.deepEqual([state.run, state.cause, state.task], ['failed', 'platform', 'pending']);
  assert.match(state.reason, /Change 1, .* was merged meanwhile, and the result conflicts with it in b\.txt/);

  const third = await anotherRun(db.pool, 'third');
  await verify(db.pool, shop, third, { 'c.txt': 'c\n' });
  await submitRun(depsOf(db.pool, shop), third);
  const fourth = await anotherRun(db.pool, 'fourth');
  const { base } = await verify(db.pool, shop, fourth, { 'd.txt': 'd\n' });
  const change = await newest(db.pool);
  assert.equal(base, change.headCommit);
  await closeChange(depsOf(db.pool, shop), change.id);
  await submitRun(depsOf(db.pool, shop), fourth);
  assert.match((await stateOf(db.pool, fourth)).reason, /was closed meanwhile without being merged/);
  const again = await nextRun(db.pool, Number(fourth.split('-')[0]));
  assert.equal((await verify(db.pool, shop, again, {})).base, shop.git('b.git', 'rev-parse', 'main'));
});

test('an investigation begins at the base, and the settings of a run are those of the base branch', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origin = shop.bare('b.git', { ...BASE, '.autocode.yaml': 'labels: [main]\n' });
  const { run } = await leasedRun(db.pool, { origin, title: 'first' });
  await db.pool.query(
    `update project set after_change = 'stack', checks = '{"rules": {"project-file": "off"}, "allow": {}}'`,
  );
  await verify(db.pool, shop, run, { '.autocode.yaml': 'labels: [changed]\n' });
  await submitRun(depsOf(db.pool, shop), run);
  const look = await anotherRun(db.pool, 'look', 'investigate');
  const main = shop.git('b.git', 'rev-parse', 'main');
  assert.equal((await prepareBase(db.pool, shop.store, look, 1)).repositories[0]!.baseCommit, main);
  const second = await anotherRun(db.pool, 'second');
  const answer = await prepareBase(db.pool, shop.store, second, 1);
  assert.notEqual(answer.repositories[0]!.baseCommit, main);
  const { file } = await withProjectFile(db.pool, shop.store, second, answer);
  assert.ok(file !== undefined);
  const { rows } = await db.pool.query<{ labels: string[] }>(
    `select file -> 'labels' as labels from run where id = $1`,
    [second],
  );
  assert.deepEqual(rows[0]!.labels, ['main']);
});
