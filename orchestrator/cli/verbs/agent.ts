// `autocode agent …`: definitions. Handlers are in ../agents.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

export const agentNoun: Noun = {
  noun: 'agent',
  describe: 'Coding agents that runs use',
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List the known agents and which are installed here',
      examples: [['agent list', '']],
      load: async () => (await import('../agents.ts')).listAgents,
    }),
    verb({
      command: 'install <agent>',
      describe: 'Install an agent, pinned by a lock file',
      examples: [['agent install qwen-coder', 'from the npm registry; needs the network once']],
      builder: (yargs: Argv) =>
        yargs.positional('agent', { type: 'string', demandOption: true, describe: 'Name in `agent list`' }),
      load: async () => (await import('../agents.ts')).installAgent,
    }),
    verb({
      command: 'check [agent]',
      describe: 'Start an agent and see whether it answers',
      examples: [['agent check qwen-coder', '']],
      builder: (yargs: Argv) =>
        yargs.positional('agent', {
          type: 'string',
          describe: 'Name in `agent list`; all installed ones when left out',
        }),
      load: async () => (await import('../agents.ts')).checkAgent,
    }),
  ],
};
