import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Finding, SubmissionChecks } from '../../../protocol/submission.ts';
import { testDatabase } from '../../../test/support/database.ts';
import type { Database } from '../../db/connect.ts';
import { listChanges } from '../changes.ts';
import { submitRun } from '../submit.ts';
import { AUTHOR, leasedRun, nextRun, noForges, verify, workshop } from '../testing/workshop.ts';

const policy = { retries: { agent: 1, platform: 1, lost: 0, outOfTime: 0 }, retryBackoffSeconds: 1 };
const WORKFLOW = { '.github/workflows/ci.yml': 'on: push\n', 'a.txt': 'a\n' };

async function setChecks(db: Database, checks: Partial<SubmissionChecks>): Promise<void> {
  await db.query('update project set checks = $1', [JSON.stringify({ rules: {}, allow: {}, ...checks })]);
}

async function outcome(
  db: Database,
  run: string,
): Promise<{ state: string; cause: string | null; reason: string; task: string; findings: Finding[] }> {
  const { rows } = await db.query(
    'select run.state, run.cause, run.reason, run.findings, task.state as task from run join task on task.id = run.task where run.id = $1',
    [run],
  );
  return rows[0];
}

test('a refused result is not pushed; the task is tried again with the findings, and the work is kept', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const deps = {
    db: db.pool,
    store: shop.store,
    author: AUTHOR,
    forges: noForges(db.pool),
    currency: 'USD',
    policy,
  };
  const { run, task, repository } = await leasedRun(db.pool, { origin: shop.workingCopy('w') });
  const { head } = await verify(db.pool, shop, run, WORKFLOW);
  await submitRun(deps, run);
  const { findings, reason, ...ended } = await outcome(db.pool, run);
  assert.deepEqual(ended, { state: 'failed', cause: 'agent', task: 'pending' });
  assert.deepEqual(
    findings.map(({ rule, level, path }) => [rule, level, path]),
    [['workflow-files', 'refuse', '.github/workflows/ci.yml']],
  );
  assert.match(reason, /nothing was pushed/);
  assert.match(reason, /- \.github\/workflows\/ci\.yml: .*\[workflow-files\]. What to do: leave/);
  assert.match(reason, /autocode project set \S+ --allow workflow-files=\.github\/workflows\/ci\.yml/);
  assert.equal(shop.git('w', 'branch', '--list', 'autocode/*'), '');
  assert.deepEqual(await listChanges(db.pool), []);
  assert.equal(shop.git(`repositories/${repository}/mirror.git`, 'rev-parse', `refs/runs/${run}`), head);

  await setChecks(db.pool, { allow: { 'workflow-files': ['.github/**'] } });
  const second = await nextRun(db.pool, task);
  await verify(db.pool, shop, second, WORKFLOW);
  await submitRun(deps, second);
  const passed = await outcome(db.pool, second);
  assert.deepEqual([passed.state, passed.findings], ['succeeded', []]);
});

test('a warning goes into the body of the change; a rule that is off finds nothing', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const deps = {
    db: db.pool,
    store: shop.store,
    author: AUTHOR,
    forges: noForges(db.pool),
    currency: 'USD',
    policy,
  };
  const { run } = await leasedRun(db.pool, { origin: shop.workingCopy('w') });
  await setChecks(db.pool, { rules: { 'workflow-files': 'warn', codeowners: 'off' } });
  await verify(db.pool, shop, run, { ...WORKFLOW, CODEOWNERS: '* @me\n' });
  await submitRun(deps, run);
  const { state, findings } = await outcome(db.pool, run);
  assert.deepEqual(
    [state, findings.map(({ rule, level }) => [rule, level])],
    ['succeeded', [['workflow-files', 'warn']]],
  );
  assert.match(
    (await listChanges(db.pool))[0]?.body ?? '',
    /## Notes\n\n- `\.github\/workflows\/ci\.yml`: .*workflow-files/,
  );
});

test('targets of the task, links and secrets are looked at in a real difference', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const deps = {
    db: db.pool,
    store: shop.store,
    author: AUTHOR,
    forges: noForges(db.pool),
    currency: 'USD',
    policy,
  };
  const origin = shop.workingCopy('w');
  symlinkSync('/etc/passwd', join(origin, 'old-link')); // was there before: not of this change
  shop.git('w', 'add', '--all');
  shop.git('w', 'commit', '--quiet', '--message', 'link');
  const { run, task } = await leasedRun(db.pool, { origin });
  await db.pool.query(`update task set target_files = '["src"]' where id = $1`, [task]);
  const token = `gh${'p_'}wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx`;
  await verify(db.pool, shop, run, { 'src/a.ts': `'${token}'\n`, 'b.ts': 'b\n' });
  await submitRun(deps, run);
  const { findings, reason } = await outcome(db.pool, run);
  assert.deepEqual(
    findings.map(({ rule, path }) => [rule, path]),
    [
      ['secrets', 'src/a.ts'],
      ['outside-target', 'b.ts'],
    ],
  );
  assert.ok(!reason.includes(token) && !JSON.stringify(findings).includes(token));
});

test('a thousand findings of a rule are told as a few', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const deps = {
    db: db.pool,
    store: shop.store,
    author: AUTHOR,
    forges: noForges(db.pool),
    currency: 'USD',
    policy,
  };
  const { run } = await leasedRun(db.pool, { origin: shop.workingCopy('w') });
  await verify(
    db.pool,
    shop,
    run,
    Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`.circleci/${'x'.repeat(150)}${index}`, 'x\n']),
    ),
  );
  await submitRun(deps, run);
  const { findings, reason } = await outcome(db.pool, run);
  assert.equal(findings.length, 21);
  assert.match(findings.at(-1)?.reason ?? '', /980 more/);
  assert.ok(reason.length <= 4000, `${reason.length}`);
});
