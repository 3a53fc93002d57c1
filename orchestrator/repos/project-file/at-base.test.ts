import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../../test/support/database.ts';
import { knownFile } from '../../tasks/known-file.ts';
import { prepareBase } from '../base.ts';
import { readSubmission } from '../submission-record.ts';
import { leasedRun, nextRun, verify, workshop } from '../testing/workshop.ts';
import { withProjectFile } from './at-base.ts';

const FILE = [
  'verify: [{ name: all, command: make check }]',
  'limits: { deadlineMinutes: 5, maxIterations: 2 }',
  'labels: [bot]',
  'draft: true',
  'instructions: Use tabs.',
].join('\n');

test("a run goes by the file of its own base, which tightens its deadline; the project's own settings stay", async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run, task } = await leasedRun(db.pool, {
    origin: shop.workingCopy('w', { '.autocode.yaml': FILE }),
  });
  const begin = async (id: string, fence: number) =>
    await withProjectFile(db.pool, shop.store, id, await prepareBase(db.pool, shop.store, id, fence));
  const answer = await begin(run, 1);
  assert.deepEqual(answer.file, {
    verify: [{ name: 'all', command: 'make check' }],
    limits: { deadlineMinutes: 5, maxIterations: 2 },
    instructions: 'Use tabs.',
  });
  assert.deepEqual(await begin(run, 1), answer, 'asked again it says the same');
  const { rows } = await db.pool.query<{ minutes: number; project: number }>(
    `select extract(epoch from r.deadline - r.created_at)::float8 / 60 as minutes, t.project
       from run r join task t on t.id = r.task where r.id = $1`,
    [run],
  );
  assert.equal(Math.round(rows[0]!.minutes), 5);
  assert.deepEqual((await knownFile(db.pool, rows[0]!.project)).file?.content?.labels, ['bot']);

  await db.pool.query(`update project set explicit = '{verify,labels}', limits = '{"maxIterations": 3}'`);
  const again = await nextRun(db.pool, task);
  assert.deepEqual((await begin(again, 2)).file, {
    limits: { deadlineMinutes: 5 },
    instructions: 'Use tabs.',
  });
  await verify(db.pool, shop, again, { 'a.txt': 'a' });
  const submission = await readSubmission(db.pool, again);
  assert.deepEqual([submission?.labels, submission?.draft], [[], true], 'labels are set, draft is not');
});

test('without a file nothing changes, and one that goes away is forgotten', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run, task } = await leasedRun(db.pool, {
    origin: shop.workingCopy('w', { '.autocode.yaml': FILE }),
  });
  await withProjectFile(db.pool, shop.store, run, await prepareBase(db.pool, shop.store, run, 1));
  shop.git('w', 'rm', '--quiet', '.autocode.yaml');
  shop.git('w', 'commit', '--quiet', '--message', 'gone');
  const next = await nextRun(db.pool, task);
  const base = await prepareBase(db.pool, shop.store, next, 2);
  assert.equal(await withProjectFile(db.pool, shop.store, next, base), base);
  const { rows } = await db.pool.query('select file from project');
  assert.deepEqual(rows, [{ file: null }]);
});

test('a file that is not valid, or decides what is not its to decide, fails the run with line and remedy', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const origin = shop.workingCopy('w', { '.autocode.yaml': 'draft: true\nisolation: directory\n' });
  const { run } = await leasedRun(db.pool, { origin });
  const base = await prepareBase(db.pool, shop.store, run, 1);
  await assert.rejects(withProjectFile(db.pool, shop.store, run, base), {
    code: 'ERR_PROJECT_FILE',
    message: /line 2: `isolation` is not for a repository to decide\. .*project set PROJECT --isolation/,
  });
});
