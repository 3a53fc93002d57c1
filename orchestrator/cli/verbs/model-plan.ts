// `autocode model plan`: definition. Its handler is in ../model-plan.ts.
import type { Argv } from 'yargs';
import { verb } from '../command.ts';

export const modelPlanVerbs = [
  verb({
    command: 'plan <models..>',
    describe: 'Say whether models of the catalogue fit on the GPUs, and if not, why and what would',
    examples: [
      ['model plan qwen2.5-coder-32b', 'on the GPUs of this machine'],
      ['model plan qwen2.5-coder-7b qwen2.5-coder-1.5b', 'and whether both fit at the same time'],
      ['model plan qwen2.5-coder-32b --dtype bfloat16', 'what if it were not quantised'],
      ['model plan qwen3.6-27b --context 262144 --sequences 1', 'how far it goes for one request'],
      ['model plan gpt-oss-20b --gpus 2x24564', 'on GPUs that are not here: two of 24,564 MiB'],
      ['model plan gpt-oss-20b --gpus 24564,49140 --json', 'on two different ones'],
    ],
    epilogue:
      'Nothing is started. The memory is that of the weights, of the KV cache for all requests at their full length, and of the engine itself; weights that are not here yet count as the catalogue says. What models that run have taken is not looked at: they make room. Exit code 1: one of them does not fit, or not all at the same time.',
    builder: (yargs: Argv) =>
      yargs
        .positional('models', {
          type: 'string',
          array: true,
          demandOption: true,
          describe: 'Their names; one that is named twice is planned twice',
        })
        .option('context', {
          type: 'number',
          requiresArg: true,
          describe: 'Tokens of the longest request; the default is what the catalogue says',
        })
        .option('sequences', {
          type: 'number',
          requiresArg: true,
          describe: 'Requests at a time; the default is what the catalogue says',
        })
        .option('dtype', {
          type: 'string',
          requiresArg: true,
          describe: 'Precision of the weights: float32, bfloat16, float16, fp8, int8 or int4',
        })
        .option('tensor-parallel', {
          type: 'number',
          requiresArg: true,
          describe: 'GPUs that each model is split between',
        })
        .option('gpus', {
          type: 'string',
          requiresArg: true,
          describe:
            'GPUs to plan for, as COUNTxMIB or MIB, with commas; the default is those of this machine',
        }),
    load: async () => (await import('../model-plan.ts')).planModels,
  }),
];
