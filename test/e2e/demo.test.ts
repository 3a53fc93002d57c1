// `autocode demo`, as a new user runs it: with the recording, and on a repository of one's own with a model server.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { startScriptedModel } from '../../worker-agent/agents/testing/scripted-model.ts';
import { eventually, makeRepository, processesOf } from './appliance.ts';

const AUTOCODE = path.join(import.meta.dirname, '../../autocode');
const directory = mkdtempSync(path.join(tmpdir(), 'autocode-demo-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the demo on a data directory of its own; gives its document, and asserts that nothing of it is left running. */
async function demo(name: string, ...args: string[]) {
  const env = { ...process.env, AUTOCODE_DATA_DIR: path.join(directory, name) };
  const ran = await promisify(execFile)(AUTOCODE, ['demo', '--json', '--no-keep', ...args], {
    env,
    maxBuffer: 1 << 26,
  });
  await eventually(
    () => Promise.resolve(processesOf(env.AUTOCODE_DATA_DIR).length === 0 || undefined),
    'its processes to end',
    20_000,
  );
  return { ...JSON.parse(ran.stdout), words: ran.stderr };
}

test('without a model it says so, goes through a failing check to a passing one, and opens a change', async () => {
  const { ok, task, run, change, diff, words } = await demo('recorded');
  assert.equal(ok, true);
  assert.match(words, /no model is configured/i);
  assert.equal(task.state, 'completed');
  assert.equal(run.iterations, 2);
  assert.deepEqual(
    run.checks.map((check: { base: { status: string }; head: { status: string } }) => [
      check.base.status,
      check.head.status,
    ]),
    [['failed', 'passed']],
  );
  assert.equal(change.state, 'open');
  assert.match(JSON.stringify(diff), /durations\.js/);
});

test('with a model server it works on the repository it is given, and the key is in no file but the secret', async () => {
  const where = makeRepository(path.join(directory, 'mine'), {
    check: 'test "$(cat answer)" = 42\n',
    answer: '41\n',
  });
  const model = await startScriptedModel(({ prompt, results, tools }) => {
    if (prompt.includes('"steps"'))
      return { text: '{"summary": "Write it.", "steps": ["Write the answer"]}' };
    if (results.length > 0 || !tools.includes('run_shell_command')) return { text: 'Done.' };
    return {
      tool: 'run_shell_command',
      input: { command: 'echo 42 > answer', description: 'write', is_background: false },
    };
  });
  after(() => model.close());
  const key = 'sk-demo-0123456789abcdef';
  const done = await demo(
    'mine-data',
    '--repo',
    where,
    'Make the answer 42',
    '--verify',
    'sh ./check',
    '--model-url',
    model.url,
    '--model',
    'scripted',
    '--api-key',
    key,
  );
  assert.equal(done.ok, true, done.words);
  assert.equal(
    execFileSync('git', ['-C', where, 'show', `${done.change.branch}:answer`], { encoding: 'utf8' }),
    '42\n',
  );
  assert.ok(done.run.usage.inputTokens >= 2000);
  assert.ok(done.run.usage.costMicros > 0, 'a model without a price costs the ceiling price');
  const found = execFileSync(
    'sh',
    ['-c', 'grep -rl "$0" "$1" || true', key, path.join(directory, 'mine-data')],
    { encoding: 'utf8' },
  );
  assert.equal(found, '');
});
