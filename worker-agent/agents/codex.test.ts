// The conformance of the real Codex.
import { before } from 'node:test';
import { conformance } from './conformance.ts';
import { createAgent } from './factory.ts';
import { installForTests, TEST_TOOL_DIR } from './testing/real-agents.ts';

before(() => installForTests('codex'));

conformance('Codex', {
  isolation: 'bubblewrap',
  create: (context) => createAgent('codex', context),
  toolDir: TEST_TOOL_DIR,
  write: (path, text) => ({ tool: 'exec_command', input: { cmd: `printf %s '${text}' > ${path}` } }),
  shell: (command) => ({ tool: 'exec_command', input: { cmd: command } }),
  countsTokens: false,
  tellsBudget: true,
  asksFor: ['sandbox'], // the name of the machine it is on
});
