// The conformance of the adapter for Cursor's CLI, with a program that speaks what is documented of it: the true one is not to
// be had without an account.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { conformance } from './conformance.ts';
import { createAgent } from './factory.ts';
import { openScratchSandbox } from './scratch.ts';
import { collect } from './testing/collect.ts';

const tools = mkdtempSync(join(tmpdir(), 'autocode-cursor-'));
after(() => rmSync(tools, { recursive: true }));

/** A tool directory into which a user has put the program. */
function toolDirectory(name: string): string {
  const at = join(tools, name, 'cursor-cli');
  mkdirSync(at, { recursive: true });
  for (const file of ['cursor-agent', 'cursor-agent.ts'])
    cpSync(join(import.meta.dirname, 'fixtures', file), join(at, file));
  return join(tools, name);
}

conformance("Cursor's CLI (a stand-in)", {
  isolation: 'bubblewrap',
  create: (context) => createAgent('cursor-cli', context),
  toolDir: toolDirectory('logged-in'),
  write: (path, fileText) => ({ tool: 'write', input: { path: `{{cwd}}/${path}`, fileText } }),
  shell: (command) => ({ tool: 'shell', input: { command } }),
  countsTokens: false,
});

test("Cursor's CLI without a login fails with what to do", async () => {
  const toolDir = toolDirectory('logged-out');
  writeFileSync(join(toolDir, 'cursor-cli/logged-out'), '');
  const sandbox = await openScratchSandbox('http://127.0.0.1:9', { toolDir });
  const agent = createAgent('cursor-cli', collect(sandbox, {}, toolDir).context);
  try {
    assert.deepEqual(await agent.start(), { version: '2026.10.02-1f0c9ab' });
    const { stop, error } = await agent.runTask({ phase: 'execute', prompt: 'Fix it' });
    assert.equal(stop, 'failed');
    assert.match(String(error), /Authentication required/);
    assert.match(String(error), /Give Cursor's program its login/);
  } finally {
    await agent.stop();
    await sandbox.close();
  }
});

test('a prompt that is too long for a command line is handed over as a file', async () => {
  const toolDir = toolDirectory('long');
  const sandbox = await openScratchSandbox('http://127.0.0.1:9', { toolDir });
  const told = collect(sandbox, {}, toolDir);
  const agent = createAgent('cursor-cli', told.context);
  try {
    await agent.start();
    await agent.runTask({ phase: 'execute', prompt: 'x'.repeat(1 << 20) });
    assert.match(Buffer.concat(told.raw).toString(), /Your task is in the file \S+execute-prompt\.md/);
  } finally {
    await agent.stop();
    await sandbox.close();
  }
});
