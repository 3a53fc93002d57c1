// `autocode mcp`: definition. The handler is in ../mcp/serve.ts.
import type { Argv } from 'yargs';
import { verb } from '../command.ts';

export const mcpVerb = verb({
  command: 'mcp',
  describe: 'Serve tasks as MCP tools on stdin and stdout, for editors and agents',
  examples: [
    ['mcp', 'started by the editor, not by hand'],
    ['mcp --project shop', 'where a call names no project'],
  ],
  epilogue:
    'Stdout carries the protocol alone. It ends when its stdin does, and needs no daemon to start: each call looks for one. What to put into an editor: docs/ide.md.',
  builder: (yargs: Argv) =>
    yargs.option('project', {
      alias: 'p',
      type: 'string',
      requiresArg: true,
      describe: 'Project of calls that name none; the only one there is when left out',
    }),
  load: async () => (await import('../mcp/serve.ts')).serveMcp,
});
