// The conformance of the real aider.
import { before } from 'node:test';
import { conformance } from './conformance.ts';
import { createAgent } from './factory.ts';
import { installForTests, TEST_TOOL_DIR } from './testing/real-agents.ts';

before(() => installForTests('aider'));

conformance('aider', {
  isolation: 'bubblewrap',
  create: (context) => createAgent('aider', context),
  toolDir: TEST_TOOL_DIR,
  write: (path, text) => ({ text: `all done\n\n${path}\n\`\`\`\n${text}\`\`\`\n` }),
  countsTokens: true,
});
