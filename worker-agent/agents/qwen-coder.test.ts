// The conformance of the real Qwen Code, installed under .runtime/agents.
import { join } from 'node:path';
import { before } from 'node:test';
import { conformance } from './conformance.ts';
import { createAgent } from './factory.ts';
import { installDirectory } from './installed.ts';

const toolDir = join(import.meta.dirname, '../../.runtime/agents');

before(() => installDirectory('qwen-coder', toolDir));

conformance('Qwen Code', {
  create: (context) => createAgent('qwen-coder', context),
  toolDir,
  write: (path, text) => ({ tool: 'write_file', input: { file_path: `{{cwd}}/${path}`, content: text } }),
  shell: (command) => ({
    tool: 'run_shell_command',
    input: { command, description: 'run it', is_background: false },
  }),
  countsTokens: true,
});
