// `autocode model import|fetch|verify|remove`: definitions. Handlers are in ../model-weights.ts.
import type { Argv } from 'yargs';
import { verb } from '../command.ts';

export const weightVerbs = [
  verb({
    command: 'import <path>',
    describe: 'Bring the weights of a model in, from a directory or a tar archive',
    examples: [
      ['model import /media/usb/Qwen2.5-Coder-32B-Instruct-AWQ', 'copies what `model fetch` has made'],
      [
        'model import ./snapshots/abc123 --name Qwen2.5-Coder-7B-Instruct',
        'under the path that the catalogue has',
      ],
    ],
    epilogue:
      'Looked at before anything is copied: configuration, tokenizer, sizes, headers, index, sums, free space. No daemon is needed, and no network.',
    builder: (yargs: Argv) =>
      yargs
        .positional('path', {
          type: 'string',
          demandOption: true,
          describe: 'Directory, or tar archive of one',
        })
        .option('name', {
          type: 'string',
          requiresArg: true,
          describe: 'Directory below model-weights/, as `path` in the catalogue; its own name when left out',
        }),
    load: async () => (await import('../model-weights.ts')).importModel,
  }),
  verb({
    command: 'fetch <model>',
    describe: 'On a machine with a network: fetch the weights of a model into a directory for `model import`',
    examples: [
      ['model fetch qwen2.5-coder-32b --to ./bundle --dry-run', 'says what would come'],
      [
        'model fetch Qwen/Qwen2.5-Coder-7B-Instruct@main --to /media/usb/qwen-7b',
        'any repository of the hub',
      ],
    ],
    epilogue: 'What was cut off goes on with the same command. The daemon itself never fetches anything.',
    builder: (yargs: Argv) =>
      yargs
        .positional('model', {
          type: 'string',
          demandOption: true,
          describe: 'Model of the catalogue, or a repository, with its revision after @',
        })
        .option('to', {
          type: 'string',
          demandOption: true,
          requiresArg: true,
          describe: 'Directory to make',
        })
        .option('hub', {
          type: 'string',
          requiresArg: true,
          default: 'https://huggingface.co',
          describe: 'Address of the hub',
        })
        .option('hub-token-file', {
          type: 'string',
          requiresArg: true,
          describe: 'File with an access token, for models that are not open to everybody',
        })
        .option('dry-run', { type: 'boolean', default: false, describe: 'Fetch nothing' }),
    load: async () => (await import('../model-weights.ts')).fetchModel,
  }),
  verb({
    command: 'verify [model]',
    describe: 'Compare the files of weights with the sums of their import',
    examples: [['model verify', 'all that are here']],
    builder: (yargs: Argv) =>
      yargs.positional('model', {
        type: 'string',
        describe: 'Model of the catalogue, or directory of weights',
      }),
    load: async () => (await import('../model-weights.ts')).verifyModels,
  }),
  verb({
    command: 'remove <model>',
    aliases: ['rm'],
    describe: 'Remove the weights of a model that does not run',
    examples: [['model remove qwen2.5-coder-7b --yes', '']],
    builder: (yargs: Argv) =>
      yargs
        .positional('model', {
          type: 'string',
          demandOption: true,
          describe: 'Model of the catalogue, or directory of weights',
        })
        .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask' }),
    load: async () => (await import('../model-weights.ts')).removeModel,
  }),
];
