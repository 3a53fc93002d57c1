// `autocode token …`: definitions. Handlers are in ../tokens.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

export const tokenNoun: Noun = {
  noun: 'token',
  describe: 'Tokens for people and machines that use the API',
  verbs: [
    verb({
      command: 'create <name>',
      describe: 'Make a token; it is shown once',
      examples: [
        ['token create ci --role operator --expires 90', ''],
        ['token create gpu-vm-2 --role worker', ''],
      ],
      epilogue:
        'admin: everything. operator: projects, tasks, changes. viewer: reads. worker: registers and takes runs.',
      builder: (yargs: Argv) =>
        yargs
          .positional('name', { type: 'string', demandOption: true, describe: 'Who it is for' })
          .option('role', {
            choices: ['admin', 'operator', 'viewer', 'worker'] as const,
            demandOption: true,
            describe: 'What it opens',
          })
          .option('expires', {
            type: 'number',
            requiresArg: true,
            describe: 'Days that it holds; for ever when left out',
          }),
      load: async () => (await import('../tokens.ts')).createToken,
    }),
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List tokens (never their text)',
      examples: [['token list', '']],
      load: async () => (await import('../tokens.ts')).listTokens,
    }),
    verb({
      command: 'revoke <id>',
      describe: 'Revoke a token at once',
      examples: [['token revoke 4', '']],
      builder: (yargs: Argv) =>
        yargs.positional('id', {
          type: 'number',
          demandOption: true,
          describe: 'Its number in `token list`',
        }),
      load: async () => (await import('../tokens.ts')).revokeToken,
    }),
  ],
};
