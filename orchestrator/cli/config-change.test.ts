import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { differenceOf } from './line-difference.ts';
import { runCli } from './testing/run-cli.ts';

function installation(t: TestContext) {
  const dataDir = mkdtempSync(join(tmpdir(), 'autocode-config-'));
  t.after(() => rmSync(dataDir, { recursive: true }));
  const file = join(dataDir, 'config/autocode.yaml');
  const cli = async (...words: string[]) =>
    await runCli(['config', ...words], { env: { AUTOCODE_DATA_DIR: dataDir } });
  return { file, cli, read: () => readFileSync(file, 'utf8') };
}

test('a key is set and unset in the file, which is made where there is none, and twice is no change', async (t) => {
  const { file, cli, read } = installation(t);
  const first = await cli('set', 'limits.runDeadlineMinutes', '90');
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /\+ {2}runDeadlineMinutes: 90\n.*holds from the next start/);
  assert.equal(read(), 'limits:\n  runDeadlineMinutes: 90\n');
  writeFileSync(file, `# mine\n${read()}`);
  assert.match((await cli('set', 'limits.runDeadlineMinutes', '90')).stdout, /says so already/);
  const forge = await cli('set', 'forges', '[{name: hub, kind: github, url: https://github.com}]', '--json');
  assert.partialDeepStrictEqual(JSON.parse(forge.stdout), { file, changed: true, fixedBy: null });
  assert.match(read(), /^# mine\nlimits:\n.*\nforges:\n {2}- name: hub\n/);
  assert.equal((await cli('unset', 'limits')).code, 0);
  assert.equal((await cli('unset', 'forges')).code, 0);
  assert.match((await cli('show')).stdout, /limits\.runDeadlineMinutes +60 +default/);
});

test('a mistake or a dry run changes nothing, and what goes before the file is told', async (t) => {
  const { file, cli, read } = installation(t);
  mkdirSync(dirname(file));
  writeFileSync(file, 'lease: {leaseSeconds: 40}\n');
  const wrong = await cli('set', 'lease.heartbeatSeconds', '30');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /lease\.leaseSeconds must be at least twice/);
  assert.match((await cli('set', 'api.prot', '1')).stderr, /did you mean api\.port/);
  const dry = await cli('set', 'lease.leaseSeconds', '50', '--dry-run');
  assert.match(
    dry.stdout,
    /-lease: \{leaseSeconds: 40\}\n\+lease: \{ leaseSeconds: 50 \}\n.*was not changed/,
  );
  assert.equal(read(), 'lease: {leaseSeconds: 40}\n');
  const fixed = await cli('set', 'log.level', 'debug', '--set', 'log.level=warn');
  assert.match(fixed.stdout, /--set goes before/);
});

test('the difference is the least number of lines', () => {
  assert.deepEqual(differenceOf('a\nb\nc\n', 'a\nx\nc\nd\n'), ['-b', '+x', '+d']);
  assert.deepEqual(differenceOf('', 'a\n'), ['+a']);
  assert.deepEqual(differenceOf('a', 'a'), []);
});
