// The conformance of the real Claude Code by its own command line, and its limits.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { conformance } from './conformance.ts';
import { createAgent } from './factory.ts';
import { openScratchSandbox } from './scratch.ts';
import { collect } from './testing/collect.ts';
import { installForTests, TEST_TOOL_DIR } from './testing/real-agents.ts';
import { startScriptedModel } from './testing/scripted-model.ts';

before(() => installForTests('claude-code-cli'));

conformance('Claude Code by its command line', {
  isolation: 'bubblewrap',
  create: (context) => createAgent('claude-code-cli', context),
  toolDir: TEST_TOOL_DIR,
  write: (path, content) => ({ tool: 'Write', input: { file_path: `{{cwd}}/${path}`, content } }),
  shell: (command) => ({ tool: 'Bash', input: { command, description: 'run it' } }),
  countsTokens: true,
});

test(
  'a turn ends at the limit of turns that it is given, and its work stays',
  { timeout: 60_000 },
  async () => {
    const model = await startScriptedModel(() => ({
      tool: 'Bash',
      input: { command: 'echo once more >> log', description: 'go on' },
    }));
    const sandbox = await openScratchSandbox(model.url, { toolDir: TEST_TOOL_DIR, isolation: 'bubblewrap' });
    const agent = createAgent('claude-code-cli', collect(sandbox, { maxTurns: 2 }, TEST_TOOL_DIR).context);
    try {
      await agent.start();
      const { stop, error } = await agent.runTask({ phase: 'execute', prompt: 'Go on for ever' });
      assert.deepEqual([stop, model.asked.length], ['limit', 2]);
      assert.match(String(error), /maximum number of turns/);
      assert.equal(await readFile(join(sandbox.tree, 'log'), 'utf8'), 'once more\n'.repeat(2));
    } finally {
      await agent.stop();
      await sandbox.close();
      await model.close();
    }
  },
);
