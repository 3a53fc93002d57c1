import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Database } from '../db/connect.ts';
import { getChange, listChanges } from './changes.ts';
import { followMerged } from './follow.ts';
import type { Git } from './git.ts';
import { mergeChange, refreshChange, refreshChanges } from './merge.ts';
import { submitRun } from './submit.ts';
import { depsOf, stateOf } from './testing/submission.ts';
import { anotherRun, leasedRun, nextRun, verify, workshop, type Workshop } from './testing/workshop.ts';

const LINES = Array.from({ length: 12 }, (_, index) => `line ${index}`);
const text = (changes: Record<number, string>) =>
  `${LINES.map((line, index) => changes[index] ?? line).join('\n')}\n`;

/** Two open changes, the second upon the first. */
async function stack(db: Database, shop: Workshop, second: Record<number, string> = { 11: 'second' }) {
  const origin = shop.bare('b.git', { 'a.txt': text({}) });
  const deps = depsOf(db, shop);
  const { run } = await leasedRun(db, { origin, title: 'first' });
  await db.query(`update project set after_change = 'stack'`);
  await verify(db, shop, run, { 'a.txt': text({ 0: 'first' }) });
  await submitRun(deps, run);
  const above = await anotherRun(db, 'second');
  await verify(db, shop, above, { 'a.txt': text({ 0: 'first', ...second }) });
  await submitRun(deps, above);
  const [upper, lower] = await listChanges(db);
  return { deps, upper: upper!, lower: lower! };
}

const merge = async (deps: ReturnType<typeof depsOf>, id: number, method: 'merge' | 'squash' = 'squash') => {
  await deps.db.query('update project set merge_method = $1', [method]);
  await mergeChange(deps, id);
};
const told = async (db: Database) =>
  (await db.query(`select data from event where kind = 'change.followed' order by id`)).rows.map(
    ({ data }) => data,
  );

for (const method of ['squash', 'merge'] as const) {
  test(`a change follows when the one below was merged by ${method}: with its own commit alone`, async () => {
    using shop = workshop();
    await using db = await testDatabase();
    const { deps, upper, lower } = await stack(db.pool, shop);
    await merge(deps, lower.id, method);
    await refreshChanges(deps, assert.ifError);
    const main = shop.git('b.git', 'rev-parse', 'main');
    const change = await getChange(db.pool, upper.id);
    assert.deepEqual(
      [change.onto, change.baseCommit, change.state, change.forgeHead],
      [null, main, 'open', null],
    );
    assert.equal(shop.git('b.git', 'rev-parse', change.branch), change.headCommit);
    assert.equal(shop.git('b.git', 'rev-parse', `${change.branch}^`), main);
    assert.equal(shop.git('b.git', 'diff', '--stat', 'main', change.branch).includes('1 insertion'), true);
    const message = (commit: string) => shop.git('b.git', 'log', '-1', '--format=%an %at %B', commit);
    assert.equal(message(change.headCommit), message(upper.headCommit));
    assert.doesNotMatch(change.body, /Built upon/);
    assert.deepEqual(await told(db.pool), [
      { change: upper.id, below: lower.id, to: 'rebased', base: main, commit: change.headCommit },
    ]);
    await refreshChanges(deps, assert.ifError);
    assert.equal((await getChange(db.pool, upper.id)).mergeable, 'yes');
    assert.equal((await told(db.pool)).length, 1);

    if (method === 'merge') return;
    // The next run of its task goes on from there.
    const again = await nextRun(db.pool, upper.task);
    const { base } = await verify(db.pool, shop, again, { 'b.txt': 'more\n' });
    assert.equal(base, main);
    await submitRun(deps, again);
    assert.equal((await stateOf(db.pool, again)).run, 'succeeded');
    assert.match(shop.git('b.git', 'show', `${change.branch}:a.txt`), /second/);
  });
}

test('a follow that is cut off before or after any of its git commands is finished by the next', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { deps, upper, lower } = await stack(db.pool, shop);
  await merge(deps, lower.id);
  const seen: string[] = [];
  for (let half = 0; ; half++) {
    const errors: unknown[] = [];
    const store = { ...shop.store, git: cutAt(shop.store.git, half, seen) };
    await followMerged({ ...deps, store }, (error) => errors.push(error));
    if (errors.length === 0) break;
    assert.match(String(errors[0]), /cut off/);
    if (seen.at(-1) === 'push') await refreshChange(deps, upper.id); // takes it for nobody else's
  }
  for (const command of ['fetch', 'commit-tree', 'push']) assert.ok(seen.includes(command), seen.join());
  const change = await getChange(db.pool, upper.id);
  assert.equal(shop.git('b.git', 'rev-parse', `${change.branch}^`), shop.git('b.git', 'rev-parse', 'main'));
  assert.deepEqual([change.onto, (await told(db.pool)).length], [null, 1]);
  const moved = await db.pool.query(`select from event where kind = 'change.moved'`);
  assert.equal(moved.rowCount, 0);
});

test('one that conflicts is left as it is and told once, until its base branch has moved on', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { deps, upper, lower } = await stack(db.pool, shop);
  shop.git('.', 'clone', '--quiet', 'b.git', 'clone');
  const onMain = (line: string) => {
    shop.git('clone', 'pull', '--quiet', 'origin', 'main');
    shop.write('clone', { 'a.txt': text({ 0: 'first', 11: line }) });
    shop.git('clone', 'commit', '--quiet', '--all', '--message', line);
    shop.git('clone', 'push', '--quiet', 'origin', 'HEAD:main');
  };
  await merge(deps, lower.id);
  onMain('theirs');
  for (let look = 0; look < 2; look++) await refreshChanges(deps, assert.ifError);
  const left = await getChange(db.pool, upper.id);
  assert.deepEqual(
    [left.mergeable, left.mergeReason, left.headCommit],
    ['conflicts', 'a.txt', upper.headCommit],
  );
  assert.deepEqual(await told(db.pool), [
    { change: upper.id, below: lower.id, to: 'conflicts', reason: 'It conflicts with main in a.txt.' },
  ]);
  onMain('line 11');
  await refreshChanges(deps, assert.ifError);
  assert.deepEqual((await told(db.pool)).at(-1)?.to, 'rebased');
  assert.equal((await getChange(db.pool, upper.id)).onto, null);
});

test('one whose task is at work, or whose branch somebody else has pushed to, is not touched', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { deps, upper, lower } = await stack(db.pool, shop);
  await merge(deps, lower.id);
  await nextRun(db.pool, upper.task);
  await followMerged(deps, assert.ifError);
  assert.equal(shop.git('b.git', 'rev-parse', upper.branch), upper.headCommit);
  await db.pool.query(`update task set state = 'completed', finished_at = now() where id = $1`, [upper.task]);
  shop.git('.', 'clone', '--quiet', 'b.git', 'clone');
  shop.git('clone', 'checkout', '--quiet', upper.branch);
  shop.git('clone', 'commit', '--quiet', '--allow-empty', '--message', "Ann's");
  shop.git('clone', 'push', '--quiet', 'origin', upper.branch);
  await followMerged(deps, assert.ifError); // before a look at it has seen that
  await refreshChanges(deps, assert.ifError);
  const change = await getChange(db.pool, upper.id);
  assert.deepEqual([change.onto, change.headCommit], [lower.id, upper.headCommit]);
  assert.equal(change.forgeHead, shop.git('clone', 'rev-parse', 'HEAD'));
});

/** A git that fails before its command of a number (an even half), or after it. */
function cutAt(git: Git, half: number, seen: string[]): Git {
  let left = Math.floor(half / 2);
  const run: Git['run'] = async (args, options) => {
    const isHere = left-- === 0;
    if (isHere) seen.push(args[0]!);
    if (isHere && half % 2 === 0) throw new Error('cut off');
    const result = await git.run(args, options);
    if (isHere) throw new Error('cut off');
    return result;
  };
  return { ...git, run, text: async (args, options) => (await run(args, options)).stdout.toString().trim() };
}
