// Verbs of models that the appliance runs itself: definitions. Handlers are in ../local-models.ts. Spread into model.ts.
import type { Argv } from 'yargs';
import { verb, type Verb } from '../command.ts';

const model = (yargs: Argv) =>
  yargs.positional('model', {
    type: 'string',
    demandOption: true,
    describe: 'Its name, with or without `local/`',
  });
const wait = <A>(yargs: Argv<A>) =>
  yargs.option('wait', {
    type: 'boolean',
    default: true,
    describe: 'Wait until it is done and show how far it is; --no-wait only asks for it',
  });
const LEAVES = 'Ctrl-C stops watching; what was asked for goes on.';

/** What is spread into the verbs of `model`. */
export const localModelVerbs: Verb[] = [
  verb({
    command: 'show <model>',
    describe: 'Show a model that runs on the own GPUs: state, GPUs, memory, figures, what is wrong',
    examples: [
      ['model show qwen2.5-coder-14b', ''],
      ['model show local/qwen2.5-coder-14b --json', ''],
    ],
    builder: model,
    load: async () => (await import('../local-models.ts')).showModel,
  }),
  verb({
    command: 'load <model>',
    describe: 'Load a model onto the GPUs, as soon as there is room',
    examples: [
      ['model load qwen2.5-coder-14b', 'waits until it is ready'],
      ['model load qwen2.5-coder-14b --no-wait', ''],
    ],
    epilogue: `What is idle makes room; what has requests does not. A model that is ready already is left as it is. ${LEAVES}`,
    builder: (yargs: Argv) => wait(model(yargs)),
    load: async () => (await import('../local-models.ts')).loadModel,
  }),
  verb({
    command: 'unload [model]',
    describe: 'Take a model off the GPUs, once its requests have ended',
    examples: [
      ['model unload qwen2.5-coder-14b', ''],
      ['model unload --all', 'all GPUs are free then'],
    ],
    epilogue: `New requests wait meanwhile, and bring it back. A pinned or preloaded model stays away until it is loaded again or the daemon starts anew. ${LEAVES}`,
    builder: (yargs: Argv) =>
      wait(
        yargs
          .positional('model', { type: 'string', describe: 'Its name, with or without `local/`' })
          .option('all', { type: 'boolean', default: false, describe: 'All that are loaded' }),
      ),
    load: async () => (await import('../local-models.ts')).unloadModels,
  }),
  verb({
    command: 'sleep <model>',
    describe: 'Free the GPU memory of a model, but keep it ready to wake within seconds (vLLM)',
    examples: [['model sleep qwen2.5-coder-14b', '']],
    epilogue: `Its sleepLevel says what is kept: 1 the weights in memory, 2 nothing. ${LEAVES}`,
    builder: (yargs: Argv) => wait(model(yargs)),
    load: async () => (await import('../local-models.ts')).sleepModel,
  }),
  verb({
    command: 'wake <model>',
    describe: 'Wake a model that sleeps, as soon as there is room',
    examples: [['model wake qwen2.5-coder-14b', '']],
    epilogue: LEAVES,
    builder: (yargs: Argv) => wait(model(yargs)),
    load: async () => (await import('../local-models.ts')).wakeModel,
  }),
  verb({
    command: 'logs <model>',
    describe: 'Print the end of the log of its engine',
    examples: [
      ['model logs qwen2.5-coder-14b', ''],
      ['model logs qwen2.5-coder-14b -f', 'and what follows'],
    ],
    builder: (yargs: Argv) =>
      model(yargs).option('follow', {
        alias: 'f',
        type: 'boolean',
        default: false,
        describe: 'Go on with what is added, until Ctrl-C',
      }),
    load: async () => (await import('../local-models.ts')).modelLogs,
  }),
  verb({
    command: 'why <model>',
    describe: 'Tell what was decided about a model, and why: loads, swaps, sleeps, restarts, refusals',
    examples: [
      ['model why qwen2.5-coder-14b', ''],
      ['model why qwen2.5-coder-14b --limit 100 --json', ''],
    ],
    builder: (yargs: Argv) =>
      model(yargs).option('limit', {
        alias: 'n',
        type: 'number',
        default: 20,
        requiresArg: true,
        describe: 'How many; the newest is the last',
      }),
    load: async () => (await import('../local-models.ts')).whyModel,
  }),
];
