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

test('an upgrade of what is not installed does nothing', async () => {
  await inEmptyDir(async (toolDir) => {
    const { code, stdout } = await cli('upgrade', '--json', '--tool-dir', toolDir);
    assert.deepEqual([code, JSON.parse(stdout)], [0, { upgrades: [] }]);
  });
});

test('an agent that only its maker gives out is not installed, and it says where to put it', async () => {
  await inEmptyDir(async (toolDir) => {
    const { stdout } = await cli('install', 'cursor-cli', '--json', '--tool-dir', toolDir);
    const { error } = JSON.parse(stdout) as { error: { code: string; remedy: string } };
    assert.equal(error.code, 'ERR_INVALID_INPUT');
    assert.match(error.remedy, /cursor-cli\/cursor-agent/);
  });
});

test('checks aider and the command line of Claude Code by asking them', async () => {
  for (const name of ['aider', 'claude-code-cli']) {
    await installForTests(name);
    const { code, stdout } = await cli('check', name, '--tool-dir', TEST_TOOL_DIR);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /ok: answered in/);
  }
});

test('wrong use is told with exit code 2', async () => {
  for (const args of [
    ['list'],
    ['fly', '--tool-dir', '/x'],
    ['install', '--tool-dir', '/x'],
    ['list', '--no-such'],
    ['check', 'aider', 'codex', '--tool-dir', '/x'],
    ['check', 'gpt', '--tool-dir', '/x'],
  ]) {
    const { code, stderr } = await cli(...args);
    assert.equal(code, 2, args.join(' '));
    assert.notEqual(stderr, '');
  }
  const { stdout } = await cli('install', 'gpt', '--json', '--tool-dir', '/x');
  assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'ERR_AGENT_UNKNOWN');
});
