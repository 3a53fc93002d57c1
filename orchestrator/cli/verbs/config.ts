// `autocode config …`: definitions. Handlers are in ../config-verbs.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

export const configNoun: Noun = {
  noun: 'config',
  describe: 'The configuration: one YAML file, environment, --set',
  verbs: [
    verb({
      command: 'check [file]',
      describe: 'Check the configuration; every mistake at once',
      examples: [
        ['config check', ''],
        ['config check new.yaml', 'before it is put in place'],
      ],
      builder: (yargs: Argv) =>
        yargs.positional('file', { type: 'string', describe: 'File to check; the one in use when left out' }),
      load: async () => (await import('../config-verbs.ts')).check,
    }),
    verb({
      command: 'show',
      describe: 'Show every value and where it comes from',
      examples: [
        ['config show', ''],
        ['config show --set api.port=7000 --json', ''],
      ],
      load: async () => (await import('../config-verbs.ts')).show,
    }),
    verb({
      command: 'reference',
      describe: 'Print the reference of all keys (markdown)',
      examples: [['config reference | less', '']],
      load: async () => (await import('../config-verbs.ts')).reference,
    }),
  ],
};
