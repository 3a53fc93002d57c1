// `autocode key …`: definitions. Handlers are in ../keys.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

export const keyNoun: Noun = {
  noun: 'key',
  describe: 'Keys for people and services that use the model gateway',
  verbs: [
    verb({
      command: 'create <name>',
      describe: 'Make a key; it is shown once',
      examples: [
        ['key create "Ann\'s editor" --allow autocode/coder --expires 90', ''],
        ['key create nightly-review --service --project shop', 'its use is counted with the project'],
      ],
      epilogue:
        'An OpenAI client takes OPENAI_BASE_URL=<gateway>/v1 and OPENAI_API_KEY, an Anthropic one ANTHROPIC_BASE_URL=<gateway> and ANTHROPIC_AUTH_TOKEN; `autocode status` tells the address of the gateway.',
      builder: (yargs: Argv) =>
        yargs
          .positional('name', { type: 'string', demandOption: true, describe: 'Who it is for' })
          .option('service', {
            type: 'boolean',
            default: false,
            describe: 'It is for a program, not for a person',
          })
          .option('allow', {
            type: 'string',
            array: true,
            nargs: 1,
            default: [] as string[],
            defaultDescription: 'all',
            describe: 'Model or role that it opens, as engine/model or autocode/coder; repeat for more',
          })
          .option('external', {
            type: 'boolean',
            default: false,
            describe: 'It opens engines outside the appliance too',
          })
          .option('project', {
            type: 'string',
            requiresArg: true,
            describe: 'Project that its use is counted with, and whose rules it follows',
          })
          .option('expires', {
            type: 'number',
            requiresArg: true,
            describe: 'Days that it holds; for ever when left out',
          }),
      load: async () => (await import('../keys.ts')).createKey,
    }),
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List keys (never their text)',
      examples: [['key list', '']],
      load: async () => (await import('../keys.ts')).listKeys,
    }),
    verb({
      command: 'revoke <id>',
      describe: 'Revoke a key',
      examples: [['key revoke 4', '']],
      builder: (yargs: Argv) =>
        yargs.positional('id', { type: 'number', demandOption: true, describe: 'Its number in `key list`' }),
      load: async () => (await import('../keys.ts')).revokeKey,
    }),
  ],
};
