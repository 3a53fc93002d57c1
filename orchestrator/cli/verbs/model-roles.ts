// `autocode model test` and `autocode model role`: definitions. Handlers are in ../model-roles.ts.
import type { Argv } from 'yargs';
import { verb } from '../command.ts';
import { MODEL_ROLES } from './choices.ts';

export const modelRoleVerbs = [
  verb({
    command: 'test [model]',
    describe: 'Test whether a model does what an agent needs; without a model list the tests that were made',
    examples: [
      ['model test local/qwen2.5-coder-32b', 'as the configured agent would use it'],
      ['model test local/qwen2.5-coder-32b --agent claude-code', 'in the protocol of that agent'],
      ['model test', 'the tests of late'],
    ],
    epilogue:
      'A tool call comes back parsed, its arguments are JSON by the schema, a streamed answer tells its tokens, it stops, it does not repeat itself without end, and a word at the beginning of a prompt as long as its context is found. The model is loaded for it. Exit code 1: it failed; 6: it could not be tested.',
    builder: (yargs: Argv) =>
      yargs
        .positional('model', { type: 'string', describe: 'As engine/model, or its name alone' })
        .option('agent', {
          type: 'string',
          requiresArg: true,
          defaultDescription: 'that of new tasks',
          describe: 'Agent that is to use it',
        }),
    load: async () => (await import('../model-roles.ts')).testModel,
  }),
  verb({
    command: 'role [role] [models..]',
    describe: 'Show or change which models agents get as autocode/<role>',
    examples: [
      ['model role', 'all roles'],
      ['model role coder local/qwen2.5-coder-32b gpu/small', 'tried in this order'],
      ['model role coder --clear', 'those of the configuration again'],
    ],
    epilogue:
      'The first model of a role must have passed `model test` with every agent that it was last tested with, unless --force.',
    builder: (yargs: Argv) =>
      yargs
        .positional('role', { choices: MODEL_ROLES, describe: 'The role' })
        .positional('models', {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: 'Models that get it, the preferred one first',
        })
        .option('force', {
          type: 'boolean',
          default: false,
          describe: 'Also a model that failed its test, or had none',
        })
        .option('clear', {
          type: 'boolean',
          default: false,
          describe: 'Give the role back to the models of the configuration',
        }),
    load: async () => (await import('../model-roles.ts')).modelRole,
  }),
];
