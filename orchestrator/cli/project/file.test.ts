import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli } from '../testing/run-cli.ts';

test('a file is checked without a daemon: what is wrong, in which line, who decides it; the exit code tells', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'autocode-file-'));
  const file = join(folder, '.autocode.yaml');
  const check = async (...more: string[]) => await runCli(['project', 'file', 'check', folder, ...more]);
  writeFileSync(file, 'draft: true\n');
  const fine = await check();
  assert.deepEqual([fine.code, fine.stdout], [0, `${file} is valid.\n`]);
  writeFileSync(file, 'draft: true\nisolation: directory\n');
  const wrong = await check();
  assert.equal(wrong.code, 1);
  assert.match(wrong.stdout, /2 +isolation +`isolation` is not for a repository to decide\. .*--isolation/);
  const json = JSON.parse((await check('--json')).stdout);
  assert.deepEqual([json.content, json.problems[0].line], [null, 2]);
  rmSync(folder, { recursive: true });
  const gone = await check();
  assert.equal(gone.code, 2);
  assert.match(gone.stderr, /cannot be read/);
});
