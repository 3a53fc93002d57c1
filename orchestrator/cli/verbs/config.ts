// `autocode config …`: definitions. Handlers are in ../config-verbs.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

const DRY_RUN = {
  type: 'boolean',
  default: false,
  describe: 'Only show what would change in the file',
} as const;
const CHANGES =
  'The file is the one in use, or that of --config; it is made where there is none. The whole of it is checked before it is written: mistakes change nothing. A daemon takes it up when it starts.';

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
      command: 'set <key> <value>',
      describe: 'Set a key in the configuration file; comments stay',
      examples: [
        ['config set limits.runDeadlineMinutes 90', ''],
        ['config set roles api,gateway --dry-run', 'what would change in the file'],
        [
          "config set forges '[{name: hub, kind: github, url: https://github.com}]'",
          'a list is given whole, as YAML',
        ],
      ],
      epilogue: CHANGES,
      builder: (yargs: Argv) =>
        yargs
          .positional('key', { type: 'string', demandOption: true, describe: 'As `config show` lists it' })
          .positional('value', { type: 'string', demandOption: true, describe: 'Text, or YAML' })
          .option('dry-run', DRY_RUN),
      load: async () => (await import('../config-change.ts')).set,
    }),
    verb({
      command: 'unset <key>',
      describe: 'Take a key out of the configuration file: its default holds',
      examples: [
        ['config unset limits.runDeadlineMinutes', ''],
        ['config unset tls', 'a part, with all that is in it'],
      ],
      epilogue: CHANGES,
      builder: (yargs: Argv) =>
        yargs
          .positional('key', { type: 'string', demandOption: true, describe: 'A key, or a part as `tls`' })
          .option('dry-run', DRY_RUN),
      load: async () => (await import('../config-change.ts')).unset,
    }),
    verb({
      command: 'reference',
      describe: 'Print the reference of all keys (markdown)',
      examples: [['config reference | less', '']],
      load: async () => (await import('../config-verbs.ts')).reference,
    }),
  ],
};
