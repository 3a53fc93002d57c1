// `autocode model …` and `autocode replay record`: definitions.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { gpuVerbs } from './model-gpus.ts';
import { localModelVerbs } from './model-local.ts';
import { modelPlanVerbs } from './model-plan.ts';
import { modelRoleVerbs } from './model-roles.ts';
import { weightVerbs } from './model-weights.ts';

export const modelNoun: Noun = {
  noun: 'model',
  describe: 'Models that the gateway offers',
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List models with their prices; those on the own GPUs with state, GPUs and memory',
      examples: [
        ['model list', ''],
        ['model list --watch', 'while models are loaded'],
      ],
      epilogue:
        'Memory is in MiB on each GPU: predicted, as the engine says, as nvidia-smi says. Requests: in flight + waiting.',
      builder: (yargs: Argv) =>
        yargs.option('watch', { alias: 'w', type: 'boolean', default: false, describe: 'Redraw every 2 s' }),
      load: async () => (await import('../models.ts')).listModels,
    }),
    verb({
      command: 'policy <project>',
      describe: 'Show or change what the agents of a project may ask models for',
      examples: [
        ['model policy shop', ''],
        ['model policy shop --allow autocode/coder --allow gpu/small', 'these two and no others'],
        ['model policy shop --keep-prompts', 'see `run prompts`'],
        ["model policy shop --allow '' --no-external", 'all models inside the appliance again'],
      ],
      builder: (yargs: Argv) =>
        yargs
          .positional('project', { type: 'string', demandOption: true, describe: "The project's name" })
          .option('allow', {
            type: 'string',
            array: true,
            nargs: 1,
            describe: 'Model or role that may be used; repeat for more, empty for all',
          })
          .option('external', {
            type: 'boolean',
            describe: 'Engines outside the appliance may be used; each call leaves an egress record',
          })
          .option('cache-answers', {
            type: 'boolean',
            describe: 'A repeated request with temperature 0 is answered from memory',
          })
          .option('keep-prompts', {
            type: 'boolean',
            describe: 'What runs ask and are answered is kept, sealed and without secrets; admins read it',
          }),
      load: async () => (await import('../keys.ts')).modelPolicy,
    }),
    ...localModelVerbs,
    ...modelPlanVerbs,
    ...modelRoleVerbs,
    ...weightVerbs,
    ...gpuVerbs,
  ],
};

export const replayNoun: Noun = {
  noun: 'replay',
  describe: 'Recordings of model answers',
  verbs: [
    verb({
      command: 'record <name>',
      describe: 'Record what a real model server answers, to be replayed as replay/<name>',
      examples: [
        [
          'replay record my-demo --model-url http://127.0.0.1:11434/v1',
          'then point an agent at the address it prints',
        ],
      ],
      epilogue: 'Ctrl-C ends the recording. Keys are in headers and are never written.',
      builder: (yargs: Argv) =>
        yargs
          .positional('name', { type: 'string', demandOption: true, describe: 'Name of the recording' })
          .option('model-url', {
            type: 'string',
            demandOption: true,
            requiresArg: true,
            describe: 'Address of the model server, with its /v1',
          })
          .option('api-key-file', {
            type: 'string',
            requiresArg: true,
            describe: 'File with its key; - reads stdin',
          })
          .option('out', {
            type: 'string',
            requiresArg: true,
            describe: 'File to write; among the recordings of the data directory when left out',
          })
          .option('port', { type: 'number', default: 0, describe: 'Port to listen on; 0 takes a free one' }),
      load: async () => (await import('../record.ts')).record,
    }),
  ],
};
