// `autocode model gpus`: definition. The handler is in ../model-gpus.ts.
import type { Argv } from 'yargs';
import { verb } from '../command.ts';

export const gpuVerbs = [
  verb({
    command: 'gpus',
    describe: 'Show the GPUs: memory, strangers on them, heat, errors',
    examples: [
      ['model gpus --watch', ''],
      ['model gpus --json | jq ".gpus[] | select(.state != \\"ok\\")"', 'those that need a look'],
    ],
    epilogue:
      'STRANGERS is memory that no engine of the appliance has: models are placed beside it. A GPU that is `lost` gets no model until three good readings in a row. See also `events --kind gpu.warning`.',
    builder: (yargs: Argv) =>
      yargs.option('watch', { alias: 'w', type: 'boolean', default: false, describe: 'Redraw every 2 s' }),
    load: async () => (await import('../model-gpus.ts')).showGpus,
  }),
];
