// `autocode forge …`: definitions. Handlers are in ../forge.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

export const forgeNoun: Noun = {
  noun: 'forge',
  describe: 'Forges that projects have their repositories at',
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List forges',
      examples: [['forge list', '']],
      epilogue:
        'A forge comes with the first project of it: `autocode project add ADDRESS --forge-token-file FILE`.',
      load: async () => (await import('../forge.ts')).listForges,
    }),
    verb({
      command: 'remove <forge>',
      describe: 'Remove a forge with its token and the secret of its webhook',
      examples: [
        ['forge remove git.example.com --dry-run', 'what uses it'],
        ['forge remove git.example.com', ''],
      ],
      epilogue:
        'Refused while a project, an open change or a source of work uses it. One of the configuration is taken out there.',
      builder: (yargs: Argv) =>
        yargs
          .positional('forge', { type: 'string', demandOption: true, describe: 'Its name in `forge list`' })
          .option('dry-run', { type: 'boolean', default: false, describe: 'Change nothing' }),
      load: async () => (await import('../forge.ts')).removeForge,
    }),
  ],
};
