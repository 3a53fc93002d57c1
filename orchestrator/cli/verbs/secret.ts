// `autocode secret …`: definitions. Handlers are in ../secrets.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

export const secretNoun: Noun = {
  noun: 'secret',
  describe: 'API keys and passwords, kept sealed',
  verbs: [
    verb({
      command: 'set <name>',
      describe: 'Keep a value: typed (not shown), from stdin or from a file, never from the command line',
      examples: [
        ['secret set openai-key', ''],
        ['secret set openai-key --file ./key', ''],
        ['secret set openai-key < ./key', ''],
      ],
      epilogue:
        'The configuration names secrets, as in models.engines[].apiKeySecret. No command shows a value again.',
      builder: (yargs: Argv) =>
        yargs
          .positional('name', { type: 'string', demandOption: true, describe: 'Its name' })
          .option('file', {
            type: 'string',
            requiresArg: true,
            describe: 'File with the value in one line; - for stdin',
          }),
      load: async () => (await import('../secrets.ts')).setSecret,
    }),
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List names and versions (never values)',
      examples: [['secret list', '']],
      load: async () => (await import('../secrets.ts')).listSecrets,
    }),
    verb({
      command: 'delete <name>',
      describe: 'Remove a secret with all its versions',
      examples: [['secret delete openai-key', '']],
      builder: (yargs: Argv) =>
        yargs.positional('name', { type: 'string', demandOption: true, describe: 'Its name' }),
      load: async () => (await import('../secrets.ts')).deleteSecret,
    }),
  ],
};
