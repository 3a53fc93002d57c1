// The conformance of the real Claude Code.
import { before } from 'node:test';
import { conformance } from './conformance.ts';
import { createAgent } from './factory.ts';
import { installForTests, TEST_TOOL_DIR } from './testing/real-agents.ts';

before(() => installForTests('claude-code'));

conformance('Claude Code', {
  isolation: 'bubblewrap',
  create: (context) => createAgent('claude-code', context),
  toolDir: TEST_TOOL_DIR,
  write: (path, content) => ({ tool: 'Write', input: { file_path: `{{cwd}}/${path}`, content } }),
  shell: (command) => ({ tool: 'Bash', input: { command, description: 'run it' } }),
  countsTokens: true,
});
