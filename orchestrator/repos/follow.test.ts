import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Database } from '../db/connect.ts';
import { getChange, listChanges } from './changes.ts';
import { followBelow } from './follow.ts';
import type { Git } from './git.ts';
import { mergeChange, refreshChange, refreshChanges } from './merge.ts';
import { resolveConflict } from './resolve.ts';
import { submitRun } from './submit.ts';
import { depsOf, stateOf } from './testing/submission.ts';
import { anotherRun, leasedRun, nextRun, verify, workshop, type Workshop } from './testing/workshop.ts';

const LINES = Array.from({ length: 12 }, (_, index) => `line ${index}`);
const text = (changes: Record<number, string>) =>
  `${LINES.map((line, index) => changes[index] ?? line).join('\n')}\n`;

/** Open changes, each upon the one before, in the order of their numbers; each changes lines of its own unless it is said. */
async function stacked(db: Database, shop: Workshop, ...each: Record<number, string>[]) {
  const origin = shop.bare('b.git', { 'a.txt': text({}) });
  const deps = depsOf(db, shop);
  const { run } = await leasedRun(db, { origin, title: 'first' });
  await db.query(`update project set after_change = 'stack'`);
  let lines = {};
  for (const [index, change] of each.entries()) {
    const next = index === 0 ? run : await anotherRun(db, `change ${index + 1}`);
    lines = { ...lines, ...change };
    await verify(db, shop, next, { 'a.txt': text(lines) });
    await submitRun(deps, next);
  }
  return { deps, changes: (await listChanges(db)).reverse() };
}

/** Two of them. */
async function stack(db: Database, shop: Workshop, second: Record<number, string> = { 11: 'second' }) {
  const { deps, changes } = await stacked(db, shop, { 0: 'first' }, second);
  return { deps, lower: changes[0]!, upper: changes[1]! };
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

test('a stack of three follows in order in one look, and goes on where it was cut off before or after any git command that writes', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { deps, changes } = await stacked(db.pool, shop, { 0: 'first' }, { 5: 'second' }, { 11: 'third' });
  const [lower, middle, upper] = changes.map(({ id }) => id) as [number, number, number];
  await merge(deps, lower);
  const seen: string[] = [];
  const cutOff = async (half: number) => {
    const errors: unknown[] = [];
    const store = { ...shop.store, git: cutAt(shop.store.git, half, seen) };
    await followBelow({ ...deps, store }, (error) => errors.push(error));
    for (const error of errors) assert.match(String(error), /cut off/);
    return errors.length > 0;
  };
  const following = async () => (await told(db.pool)).length;
  for (const done of [1, 2]) {
    for (let half = 0; (await following()) < done; half++) {
      await cutOff(half);
      // What is there is taken for nobody else's.
      if (seen.at(-1) === 'push') for (const id of [middle, upper]) await refreshChange(deps, id);
    }
  }
  assert.equal(await cutOff(0), false);
  assert.deepEqual(new Set(seen), new Set(WRITES));
  const main = shop.git('b.git', 'rev-parse', 'main');
  const [second, third] = [await getChange(db.pool, middle), await getChange(db.pool, upper)];
  assert.deepEqual([second.onto, second.baseCommit], [null, main]);
  assert.deepEqual([third.onto, third.baseCommit], [middle, second.headCommit]);
  for (const { branch, headCommit, baseCommit } of [second, third]) {
    assert.equal(shop.git('b.git', 'rev-parse', branch), headCommit);
    assert.equal(shop.git('b.git', 'rev-parse', `${branch}^`), baseCommit);
  }
  assert.match(third.body, /Built upon/);
  assert.deepEqual(
    (await told(db.pool)).map(({ change, below, to }) => [change, below, to]),
    [
      [middle, lower, 'rebased'],
      [upper, middle, 'rebased'],
    ],
  );
  const moved = await db.pool.query(`select from event where kind = 'change.moved'`);
  assert.equal(moved.rowCount, 0);
});

test('in a stack those above one that conflicts stay upon it and say so; when it can follow, all do in one look', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const each = [{ 0: 'first' }, { 4: 'second' }, { 7: 'third' }, { 11: 'fourth' }];
  const { deps, changes } = await stacked(db.pool, shop, ...each);
  const ids = changes.map(({ id }) => id);
  const now = async () => await Promise.all(ids.slice(1).map(async (id) => await getChange(db.pool, id)));
  shop.git('.', 'clone', '--quiet', 'b.git', 'clone');
  await merge(deps, ids[0]!);
  onMain(shop, { 0: 'first', 4: 'theirs' });
  for (let look = 0; look < 2; look++) await refreshChanges(deps, assert.ifError);
  const stuck = [
    'It conflicts with main in a.txt.',
    ...ids.slice(1, 3).map((id) => `It stays upon change ${id}, which could not follow.`),
  ];
  assert.deepEqual(
    (await now()).map((change) => change.stuck),
    stuck,
  );
  assert.deepEqual(
    (await told(db.pool)).map(({ to, reason }) => [to, reason]),
    stuck.map((reason, index) => [index === 0 ? 'conflicts' : 'left', reason]),
  );
  await assert.rejects(resolveConflict(deps, ids[2]!, { author: 'ann', words: undefined }), {
    code: 'ERR_STATE',
    remedy: `Have that resolved first: \`autocode change resolve ${ids[1]}\`.`,
  });

  onMain(shop, { 0: 'first' });
  await refreshChanges(deps, assert.ifError);
  const moved = await now();
  assert.deepEqual(
    moved.map((change) => [change.stuck, change.onto]),
    [
      [null, null],
      [null, ids[1]],
      [null, ids[2]],
    ],
  );
  const main = shop.git('b.git', 'rev-parse', 'main');
  const below = [main, ...moved.map(({ headCommit }) => headCommit)];
  for (const [index, { branch }] of moved.entries())
    assert.equal(shop.git('b.git', 'rev-parse', `${branch}^`), below[index]);

  // The one below is changed by its own task, where the one above has changed the same.
  const again = await nextRun(db.pool, moved[1]!.task);
  await verify(db.pool, shop, again, {
    'a.txt': text({ 0: 'first', 4: 'second', 7: 'third', 11: 'another' }),
  });
  await submitRun(deps, again);
  for (let look = 0; look < 2; look++) await refreshChanges(deps, assert.ifError);
  const [, lower, last] = await now();
  assert.deepEqual(
    [last!.stuck, last!.mergeable],
    [`It conflicts with change ${ids[2]} in a.txt.`, 'conflicts'],
  );
  await resolveConflict(deps, ids[3]!, { author: 'ann', words: undefined });
  const next = await nextRun(db.pool, last!.task);
  const { base } = await verify(db.pool, shop, next, { 'a.txt': text({ 11: 'both' }) });
  assert.equal(base, lower!.headCommit);
});

test('one that conflicts is left as it is and told once, until its base branch has moved on', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { deps, upper, lower } = await stack(db.pool, shop);
  shop.git('.', 'clone', '--quiet', 'b.git', 'clone');
  await merge(deps, lower.id);
  onMain(shop, { 0: 'first', 11: 'theirs' });
  for (let look = 0; look < 2; look++) await refreshChanges(deps, assert.ifError);
  const left = await getChange(db.pool, upper.id);
  assert.deepEqual(
    [left.mergeable, left.mergeReason, left.headCommit],
    ['conflicts', 'a.txt', upper.headCommit],
  );
  assert.deepEqual(await told(db.pool), [
    { change: upper.id, below: lower.id, to: 'conflicts', reason: 'It conflicts with main in a.txt.' },
  ]);
  onMain(shop, { 0: 'first' });
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
  await followBelow(deps, assert.ifError);
  assert.equal(shop.git('b.git', 'rev-parse', upper.branch), upper.headCommit);
  await db.pool.query(`update task set state = 'completed', finished_at = now() where id = $1`, [upper.task]);
  shop.git('.', 'clone', '--quiet', 'b.git', 'clone');
  shop.git('clone', 'checkout', '--quiet', upper.branch);
  shop.git('clone', 'commit', '--quiet', '--allow-empty', '--message', "Ann's");
  shop.git('clone', 'push', '--quiet', 'origin', upper.branch);
  await followBelow(deps, assert.ifError); // before a look at it has seen that
  await refreshChanges(deps, assert.ifError);
  const change = await getChange(db.pool, upper.id);
  assert.deepEqual([change.onto, change.headCommit], [lower.id, upper.headCommit]);
  assert.equal(change.forgeHead, shop.git('clone', 'rev-parse', 'HEAD'));
});

/** Somebody pushes these lines to main, by `clone`. */
function onMain(shop: Workshop, lines: Record<number, string>): void {
  shop.git('clone', 'pull', '--quiet', 'origin', 'main');
  shop.write('clone', { 'a.txt': text(lines) });
  shop.git('clone', 'commit', '--quiet', '--all', '--message', 'theirs');
  shop.git('clone', 'push', '--quiet', 'origin', 'HEAD:main');
}

const WRITES = ['fetch', 'update-ref', 'push'];

/** A git that fails before its writing command of a number (an even half), or after it. */
function cutAt(git: Git, half: number, seen: string[]): Git {
  let left = Math.floor(half / 2);
  const run: Git['run'] = async (args, options) => {
    const isHere = WRITES.includes(args[0]!) && left-- === 0;
    if (isHere) seen.push(args[0]!);
    if (isHere && half % 2 === 0) throw new Error('cut off');
    const result = await git.run(args, options);
    if (isHere) throw new Error('cut off');
    return result;
  };
  return { ...git, run, text: async (args, options) => (await run(args, options)).stdout.toString().trim() };
}
