import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scenario } from '../../../protocol/scenario.ts';
import { testDatabase } from '../../../test/support/database.ts';
import { fakeApi, runCli } from '../testing/run-cli.ts';

const SCENARIO = `
about: Two tasks of one repository.
workers: [{ name: w, capacity: 2 }]
projects: [{ name: p }]
arrivals:
  - { at: 0s, count: 2, task: { name: 'task {n}', project: p } }
work: [{ attempts: [{ takes: 10m, ends: no-change }] }]
expect:
  - { that: one after the other, of: runs, begins: [task 0 at 0s, task 1 at 10m] }
`;

function directory(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'simulate-test-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

test('a simulation tells what was decided, and ends with 1 where it was not expected', async () => {
  await using server = await testDatabase({ empty: true, poolSize: 1 });
  using own = directory();
  const file = join(own.path, 'scenario.yaml');
  writeFileSync(file, SCENARIO);
  const env = { DATABASE_URL: server.url, AUTOCODE_DATA_DIR: own.path };
  const shown = await runCli(['schedule', 'simulate', file], { env });
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /tasks +2: 2 completed/);
  assert.match(shown.stdout, /task 1 +p +0s +10m +20m +completed +no-change +repository 10m/);
  assert.match(shown.stdout, /✓ one after the other/);
  const words = ['schedule', 'simulate', file, '--set', 'limits.runDeadlineMinutes=5', '--json'];
  const other = await runCli(words, { env });
  assert.equal(other.code, 1, other.stderr);
  const told = JSON.parse(other.stdout) as { expectations: object[]; totals: { runStates: object } };
  assert.deepEqual(told.totals.runStates, { 'out-of-time': 2 });
  assert.deepEqual(told.expectations, [
    { that: 'one after the other', held: false, found: 'began task 0 at 0s, task 1 at 5m' },
  ]);
});

test('a scenario that is wrong is told with its lines, one that is not there with those that are', async () => {
  using own = directory();
  const file = join(own.path, 'scenario.yaml');
  writeFileSync(file, SCENARIO.replace('at: 0s', 'at: soon').replace('capacity: 2', 'capcity: 2'));
  const wrong = await runCli(['schedule', 'simulate', file]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /line 3: .*capcity.*line 6: .*duration/s);
  const missing = await runCli(['schedule', 'simulate', 'nothing']);
  assert.match(missing.stderr, /alarms-many-accounts, /);
});

test('a recording is written as a scenario, over no file that is there', async () => {
  using own = directory();
  const scenario = Scenario.parse({ about: 'x', workers: [{ name: 'w' }], projects: [{ name: 'p' }] });
  await using api = await fakeApi({ 'GET /scenario': { body: scenario } });
  const out = join(own.path, 'week.yaml');
  const record = async () =>
    await runCli(['schedule', 'record', '--since', '12h', '--out', out], { env: { AUTOCODE_URL: api.url } });
  const { code, stderr, stdout } = await record();
  assert.equal(code, 0, stderr);
  assert.match(stdout, /0 arrivals/);
  assert.match(readFileSync(out, 'utf8'), /workers:\n {2}- name: w\n/);
  assert.match((await record()).stderr, /cannot be written/);
});
