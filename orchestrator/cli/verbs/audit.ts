// `autocode audit …`: definitions. Handlers are in ../audit.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

export const auditNoun: Noun = {
  noun: 'audit',
  describe: 'Who changed what',
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List changes that people and services asked for, newest first',
      examples: [
        ['audit list --actor ann', ''],
        ['audit list --refused --limit 20', 'what was not allowed, or went wrong'],
      ],
      builder: (yargs: Argv) =>
        yargs
          .option('actor', { type: 'string', requiresArg: true, describe: 'Name of a person or a token' })
          .option('project', { type: 'string', requiresArg: true, describe: 'Changes in this project' })
          .option('refused', { type: 'boolean', default: false, describe: 'Only what was not done' })
          .option('before', { type: 'number', requiresArg: true, describe: 'Older than this record' })
          .option('limit', { type: 'number', requiresArg: true, default: 50, describe: 'How many at most' }),
      load: async () => (await import('../audit.ts')).listAudit,
    }),
  ],
};
