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
      describe:
        'List the known agents: version, whether installed here, what they speak, how they are tested (cursor-cli with a stand-in only)',
      examples: [['agent list', '']],
      load: async () => (await import('../agents.ts')).listAgents,
    }),
    verb({
      command: 'install <agent>',
      describe: 'Install an agent, pinned by a lock file',
      examples: [
        ['agent install qwen-coder', 'from the npm registry; needs the network once'],
        ['agent install aider', 'from the Python package index; needs Python 3.10 to 3.12 with pip'],
      ],
      builder: (yargs: Argv) =>
        yargs.positional('agent', { type: 'string', demandOption: true, describe: 'Name in `agent list`' }),
      load: async () => (await import('../agents.ts')).installAgent,
    }),
    verb({
      command: 'upgrade [agents..]',
      describe: 'Bring installed agents to the versions that this release pins',
      examples: [
        ['agent upgrade --dry-run', 'says what would be installed and removed'],
        ['agent upgrade aider', 'installs it if it is not there; old versions go when no run uses the agent'],
      ],
      builder: (yargs: Argv) =>
        yargs
          .positional('agents', {
            type: 'string',
            array: true,
            default: [] as string[],
            defaultDescription: 'all that are installed',
            describe: 'Names in `agent list`',
          })
          .option('dry-run', { type: 'boolean', default: false, describe: 'Change nothing' }),
      load: async () => (await import('../agents.ts')).upgradeAgents,
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
