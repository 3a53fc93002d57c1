import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse as parseYaml } from 'yaml';
import { TaskInput } from '../../protocol/task.ts';
import { VerifyCommand } from '../../protocol/project.ts';
import { findRecordings, readRecording } from './recording.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');

test('every recording that is delivered is well formed and bears the name of its file', async () => {
  const found = findRecordings([join(EXAMPLES, 'recordings')]);
  assert.ok(found.has('demo'));
  for (const [name, path] of found) assert.equal((await readRecording(path)).header.recording, name);
});

test('a mistake is told with file, line and place', async () => {
  using directory = scratch();
  const path = join(directory.path, 'bad.jsonl');
  const header = '{"recording":"bad","made":"2026-11-20","by":"hand"}';
  const cases: [string, RegExp][] = [
    ['', /line 1:/],
    ['{"recording":"bad","made":"someday","by":"hand"}', /line 1: [\s\S]*made/],
    [`${header}\nnot json`, /line 2:/],
    [
      `${header}\n{"conversation":{"contains":"x"},"turn":-1,"answer":{"usage":{"input":1,"cached":0,"output":0}}}`,
      /line 2: [\s\S]*turn/,
    ],
  ];
  for (const [text, message] of cases) {
    writeFileSync(path, text);
    await assert.rejects(readRecording(path), { code: 'ERR_INVALID_INPUT', message });
  }
  await assert.rejects(readRecording(join(directory.path, 'none.jsonl')), { code: 'ERR_MODEL_UNKNOWN' });
});

test("the demo's answers lead its repository from two failing tests over one broken to none", async () => {
  const { verify, ...task } = parseYaml(readFileSync(join(EXAMPLES, 'demo/task.yaml'), 'utf8')) as {
    verify: unknown[];
  };
  const { title } = TaskInput.parse({ project: 'demo', ...task });
  for (const command of verify) VerifyCommand.parse(command);
  const { entries } = await readRecording(join(EXAMPLES, 'recordings/demo.jsonl'));
  for (const { conversation } of entries)
    assert.ok('contains' in conversation && `Task: ${title}`.includes(conversation.contains));

  using directory = scratch();
  const repository = join(directory.path, 'repository');
  cpSync(join(EXAMPLES, 'demo/repository'), repository, { recursive: true });
  const failing = [await failingTests(repository)];
  for (const { answer } of entries) {
    for (const call of answer.toolCalls.filter(({ name }) => name === 'edit')) {
      const { file_path, old_string, new_string } = call.arguments as Record<string, string>;
      const file = (file_path as string).replace('{{cwd}}', repository);
      const before = readFileSync(file, 'utf8');
      assert.equal(before.split(old_string as string).length, 2, `${old_string} stands once in ${file_path}`);
      writeFileSync(
        file,
        before.replace(old_string as string, () => new_string as string),
      );
      failing.push(await failingTests(repository));
    }
  }
  assert.deepEqual(failing, [
    ['adds up a duration of several parts', 'reads back what it writes'],
    ['refuses what is no duration'],
    [],
  ]);
});

/** Names of the tests that fail in the directory, run as the demo's check runs them. */
function failingTests(cwd: string): Promise<string[]> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, ['--test', '--test-reporter=tap'], { cwd, env }, (_error, stdout) =>
      resolve([...stdout.matchAll(/^not ok \d+ - (.+)$/gm)].map(([, name]) => name as string)),
    );
  });
}

function scratch() {
  const path = mkdtempSync(join(tmpdir(), 'recording-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
