// The conformance of the real Qwen Code.
import { before } from 'node:test';
import { conformance } from './conformance.ts';
import { createAgent } from './factory.ts';
import { installForTests, TEST_TOOL_DIR } from './testing/real-agents.ts';

before(() => installForTests('qwen-coder'));

for (const isolation of ['directory', 'bubblewrap'] as const)
  conformance(`Qwen Code in isolation ${isolation}`, {
    isolation,
    create: (context) => createAgent('qwen-coder', context),
    toolDir: TEST_TOOL_DIR,
    write: (path, text) => ({ tool: 'write_file', input: { file_path: `{{cwd}}/${path}`, content: text } }),
    shell: (command) => ({
      tool: 'run_shell_command',
      input: { command, description: 'run it', is_background: false },
    }),
    countsTokens: true,
  });
