import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AGENT_NAMES, AGENTS, type AgentEntry } from './catalogue.ts';
import { installForTests, TEST_TOOL_DIR } from './testing/real-agents.ts';

const CLI = join(import.meta.dirname, 'cli.ts');

function cli(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

async function inEmptyDir(body: (toolDir: string) => Promise<void>): Promise<void> {
  const toolDir = await mkdtemp(join(tmpdir(), 'autocode-tools-'));
  await body(toolDir).finally(() => rm(toolDir, { recursive: true }));
}

test('lists the agents and what is to be done for each', async () => {
  await inEmptyDir(async (toolDir) => {
    const text = await cli('list', '--tool-dir', toolDir);
    assert.equal(text.code, 0);
    assert.match(
      text.stdout,
      /^qwen-coder +0\.24\.4 +Qwen Code \(not installed: autocode agent install qwen-coder\)$/m,
    );
    const { agents } = JSON.parse((await cli('list', '--json', '--tool-dir', toolDir)).stdout) as {
      agents: { name: string; installed: boolean }[];
    };
    assert.deepEqual(
      agents.map(({ name, installed }) => ({ name, installed })),
      AGENT_NAMES.map((name) => ({ name, installed: (AGENTS[name] as AgentEntry).install === null })),
    );
  });
});

test('checks the installed Qwen Code by opening a session', async () => {
  await installForTests('qwen-coder');
  const { code, stdout } = await cli('check', 'qwen-coder', '--json', '--tool-dir', TEST_TOOL_DIR);
  const { check } = JSON.parse(stdout) as { check: { ok: boolean; version: string; detail: string } };
  assert.equal(check.ok, true, check.detail);
  assert.equal(check.version, '0.24.4');
  assert.equal(code, 0);
});

test('a check of an agent that is not there fails and says what to do', async () => {
  await inEmptyDir(async (toolDir) => {
    const { code, stdout } = await cli('check', 'qwen-coder', '--tool-dir', toolDir);
    assert.equal(code, 1);
    assert.match(stdout, /not ok: .* Run `autocode agent install qwen-coder`\./);
  });
});

test('wrong use is told with exit code 2', async () => {
  for (const args of [
    ['list'],
    ['fly', '--tool-dir', '/x'],
    ['install', '--tool-dir', '/x'],
    ['list', '--no-such'],
    ['check', 'gpt', '--tool-dir', '/x'],
  ]) {
    const { code, stderr } = await cli(...args);
    assert.equal(code, 2, args.join(' '));
    assert.notEqual(stderr, '');
  }
  const { stdout } = await cli('install', 'gpt', '--json', '--tool-dir', '/x');
  assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'ERR_AGENT_UNKNOWN');
});
