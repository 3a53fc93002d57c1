import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { listChanges } from './changes.ts';
import type { Git } from './git.ts';
import { fetchMirror, repositoryPath } from './mirror.ts';
import { submitRun } from './submit.ts';
import type { SubmitDeps } from './submit.ts';
import { branches, depsOf, stateOf } from './testing/submission.ts';
import { leasedRun, nextRun, verify, workshop } from './testing/workshop.ts';

test('a verified run becomes one commit on a branch, with its change', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origin = shop.workingCopy('w');
  const { run, task } = await leasedRun(db.pool, { origin, title: 'Fix the sum: 1 + 1' });
  const { base, head } = await verify(db.pool, shop, run, { 'sum.txt': '2\n' });
  await submitRun(depsOf(db.pool, shop), run);

  const branch = `autocode/${task}-fix-the-sum-1-1`;
  assert.deepEqual(branches(shop, 'w'), [branch, 'main']);
  const [change] = await listChanges(db.pool);
  assert.equal(change?.branch, branch);
  assert.equal(change.headCommit, shop.git('w', 'rev-parse', branch));
  assert.equal(shop.git('w', 'rev-parse', `${branch}^`), base);
  assert.equal(
    shop.git('w', 'rev-parse', `${branch}^{tree}`),
    shop.git(`work-${run}`, 'rev-parse', `${head}^{tree}`),
  );
  const trailers = shop.git('w', 'log', '-1', '--format=%an <%ae>%n%(trailers)', branch);
  const expected = [
    `Autocode-Task: ${task}`,
    `Autocode-Run: ${run}`,
    'Autocode-Agent: command',
    'Autocode-Model: replay/tape',
  ];
  assert.deepEqual(trailers.split('\n'), ['Autocode <autocode@localhost>', ...expected]);
  assert.match(change.body, /Fix the sum: 1 \+ 1/);
  assert.deepEqual(await stateOf(db.pool, run), {
    run: 'succeeded',
    cause: null,
    reason: `Change ${change.id} holds the result.`,
    task: 'completed',
  });
  const { rows } = await db.pool.query(`select kind, task, run from event where kind = 'change.opened'`);
  assert.deepEqual(rows, [{ kind: 'change.opened', task, run }]);
});

test('a submission that is cut off at any step is finished by the next, with one branch and one change', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origin = shop.bare('b.git');
  const deps = depsOf(db.pool, shop);
  // The nth command is cut off before it does its work, or after it has done it.
  const cutOff = (at: number, done: boolean): SubmitDeps => {
    let count = 0;
    const run: Git['run'] = async (args, options) => {
      const last = ++count === at;
      if (last && !done) throw new Error('cut off');
      const result = await shop.store.git.run(args, options);
      if (last) throw new Error('cut off');
      return result;
    };
    const text: Git['text'] = async (args, options) => (await run(args, options)).stdout.toString().trim();
    return { ...deps, store: { ...shop.store, git: { ...shop.store.git, run, text } } };
  };
  let steps = 0;
  for (let at = 1; ; at++) {
    const { run } = await leasedRun(db.pool, { origin, title: `step ${at}` });
    await verify(db.pool, shop, run, { [`f${at}.txt`]: 'x\n' });
    const cut = async (done: boolean) =>
      await submitRun(cutOff(at, done), run).then(
        () => false,
        () => true,
      );
    const wasCut = await cut(false);
    await cut(true);
    await submitRun(deps, run);
    assert.equal((await stateOf(db.pool, run)).run, 'succeeded', `cut off at step ${at}`);
    const named = branches(shop, 'b.git').filter((name) => name.endsWith(`-step-${at}`));
    assert.equal(named.length, 1, `cut off at step ${at}`);
    if (!wasCut) break;
    steps = at;
  }
  assert.ok(steps >= 8, `${steps} steps`);
  assert.equal((await listChanges(db.pool)).length, branches(shop, 'b.git').length - 1);
});

test('locks that a killed git left on the refs of a run do not hold it up', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origin = shop.workingCopy('w');
  const { run, task, repository } = await leasedRun(db.pool, { origin, title: 'Fix it' });
  const lock = (ref: string) => {
    const file = join(repositoryPath(shop.store, repository, 'mirror.git'), `${ref}.lock`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
  };
  await fetchMirror(shop.store, { id: repository, origin });
  lock(`refs/runs/${run}`);
  await verify(db.pool, shop, run, { 'sum.txt': '2\n' });
  lock(`refs/submitted/${run}/autocode/${task}-fix-it`);
  await submitRun(depsOf(db.pool, shop), run);
  assert.equal((await listChanges(db.pool))[0]?.branch, `autocode/${task}-fix-it`);
});

test('a result that is the base opens nothing', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run } = await leasedRun(db.pool, { origin: shop.workingCopy('w') });
  await verify(db.pool, shop, run, {});
  await submitRun(depsOf(db.pool, shop), run);
  assert.deepEqual(branches(shop, 'w'), ['main']);
  assert.equal((await stateOf(db.pool, run)).run, 'no-change');
});

test('a cancel before the push is honoured', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run } = await leasedRun(db.pool, { origin: shop.workingCopy('w') });
  await verify(db.pool, shop, run, { 'a.txt': 'a\n' });
  await db.pool.query('update run set cancel_requested = true where id = $1', [run]);
  await submitRun(depsOf(db.pool, shop), run);
  assert.deepEqual(branches(shop, 'w'), ['main']);
  assert.deepEqual(
    [(await stateOf(db.pool, run)).run, (await stateOf(db.pool, run)).task],
    ['cancelled', 'cancelled'],
  );
});

test("a push that the origin's hook refuses fails the run with the hook's words", async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origin = shop.bare('b.git');
  writeFileSync(join(origin, 'hooks/pre-receive'), '#!/bin/sh\necho "ticket number missing"\nexit 1\n');
  chmodSync(join(origin, 'hooks/pre-receive'), 0o755);
  const { run } = await leasedRun(db.pool, { origin });
  await verify(db.pool, shop, run, { 'a.txt': 'a\n' });
  await submitRun(depsOf(db.pool, shop), run);
  const state = await stateOf(db.pool, run);
  assert.deepEqual([state.run, state.cause, state.task], ['failed', 'input', 'failed']);
  assert.match(state.reason, /pre-receive hook declined[^]*ticket number missing/);
});

test('an origin that cannot be reached leaves the run for another try', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origin = shop.bare('b.git');
  const { run } = await leasedRun(db.pool, { origin });
  await verify(db.pool, shop, run, { 'a.txt': 'a\n' });
  renameSync(origin, `${origin}.away`);
  await assert.rejects(submitRun(depsOf(db.pool, shop), run), { code: 'ERR_REPOSITORY_UNREACHABLE' });
  assert.equal((await stateOf(db.pool, run)).run, 'submitting');
  renameSync(`${origin}.away`, origin);
  await submitRun(depsOf(db.pool, shop), run);
  assert.equal((await stateOf(db.pool, run)).run, 'succeeded');
});

test('the second run of a task updates its branch and change, unless somebody else added to it', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run, task } = await leasedRun(db.pool, { origin: shop.workingCopy('w') });
  const deps = depsOf(db.pool, shop);
  await verify(db.pool, shop, run, { 'a.txt': 'a\n' });
  await submitRun(deps, run);
  const second = await nextRun(db.pool, task);
  await verify(db.pool, shop, second, { 'a.txt': 'b\n' });
  await submitRun(deps, second);
  const [change, ...others] = await listChanges(db.pool);
  assert.equal(others.length, 0);
  assert.equal(change?.run, second);
  assert.equal(shop.git('w', 'show', `${change.branch}:a.txt`), 'b');

  shop.git('w', 'checkout', '--quiet', change.branch);
  shop.git('w', 'commit', '--quiet', '--allow-empty', '--message', "Ann's");
  shop.git('w', 'checkout', '--quiet', 'main');
  const third = await nextRun(db.pool, task);
  await verify(db.pool, shop, third, { 'a.txt': 'c\n' });
  await submitRun(deps, third);
  const state = await stateOf(db.pool, third);
  assert.deepEqual([state.run, state.cause], ['failed', 'input']);
  assert.match(state.reason, /commits that are not Autocode's/);
  assert.equal(shop.git('w', 'log', '-1', '--format=%s', change.branch), "Ann's");
});

test('a branch name that is taken gets a number', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run, task } = await leasedRun(db.pool, { origin: shop.workingCopy('w') });
  shop.git('w', 'branch', `autocode/${task}-fix-the-sum`);
  await verify(db.pool, shop, run, { 'a.txt': 'a\n' });
  await submitRun(depsOf(db.pool, shop), run);
  assert.equal((await listChanges(db.pool))[0]?.branch, `autocode/${task}-fix-the-sum-2`);
});

const asRoot = { skip: process.getuid?.() === 0 ? false : 'needs root' };

test("a push into another user's repository leaves nothing there that is not his", asRoot, async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origin = shop.workingCopy('w');
  execFileSync('chown', ['-R', '12345:12345', origin]);
  const { run } = await leasedRun(db.pool, { origin });
  await verify(db.pool, shop, run, { 'a.txt': 'a\n' });
  await submitRun(depsOf(db.pool, shop), run);
  assert.equal((await stateOf(db.pool, run)).run, 'succeeded');
  assert.equal(execFileSync('find', [origin, '!', '-uid', '12345'], { encoding: 'utf8' }), '');
});
