// `autocode worker deploy|show|drain|undrain|logs|stop`: definitions. Handlers are in ../fleet/.
import type { Argv } from 'yargs';
import { verb, type Verb } from '../command.ts';

const name = (yargs: Argv) =>
  yargs.positional('name', { type: 'string', demandOption: true, describe: 'As in `worker list`' });

const NODE = {
  type: 'boolean',
  default: false,
  describe: 'Its node in Nomad, with all that is placed there',
} as const;

export const fleetVerbs: Verb[] = [
  verb({
    command: 'deploy',
    describe: 'Place workers by Nomad, and see them come up',
    examples: [
      ['worker deploy --dry-run', 'only shows what it would change'],
      ['worker deploy --count 4 --agent qwen-coder --daily-budget 20 --yes', ''],
      ['worker deploy --mode dispatch', 'an allocation for each run, none in between'],
    ],
    epilogue:
      'Needs `nomad` in the configuration. What is left out stays as it is deployed. VMs change one by one; where the new version is not healthy, all go back to the one before, and the exit code is 1. See docs/fleet.md.',
    builder: (yargs: Argv) =>
      yargs
        .option('mode', {
          choices: ['service', 'dispatch'] as const,
          default: 'service' as const,
          describe: 'Workers that stay, or one for each run',
        })
        .option('count', { type: 'number', requiresArg: true, describe: 'Workers, one on a VM; at first 4' })
        .option('agent', {
          type: 'string',
          requiresArg: true,
          describe: 'The only agent that they offer, or any',
        })
        .option('project', {
          type: 'string',
          requiresArg: true,
          describe: 'The only project whose tasks they take, or any',
        })
        .option('daily-budget', {
          type: 'number',
          requiresArg: true,
          describe: 'What the runs of each may spend a day, in the ledger currency; 0: no limit of its own',
        })
        .option('partial', {
          type: 'boolean',
          default: false,
          describe: 'Also where there is no room for all; the others follow',
        })
        .option('dry-run', { type: 'boolean', default: false, describe: 'Change nothing' })
        .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask' })
        .option('wait', { type: 'boolean', default: true, describe: 'Follow it until it has ended' }),
    load: async () => (await import('../fleet/deploy.ts')).deployWorkers,
  }),
  verb({
    command: 'show <name>',
    describe: 'Show a worker: where it is, what it has, its last runs',
    examples: [['worker show vm-2', '']],
    builder: name,
    load: async () => (await import('../fleet/workers.ts')).showWorker,
  }),
  verb({
    command: 'drain <name>',
    describe: 'Let a worker take no runs; it finishes those it has',
    examples: [
      ['worker drain vm-2', ''],
      ['worker drain vm-2 --node --deadline 15m', 'before the VM is switched off'],
    ],
    epilogue: 'It lasts until `worker undrain`, also when the worker starts anew.',
    builder: (yargs: Argv) =>
      name(yargs).option('node', NODE).option('deadline', {
        type: 'string',
        requiresArg: true,
        default: '15m',
        describe: 'With --node: when what is still there is stopped',
      }),
    load: async () => (await import('../fleet/workers.ts')).drainWorker,
  }),
  verb({
    command: 'undrain <name>',
    describe: 'Let a worker take runs again',
    examples: [['worker undrain vm-2', '']],
    builder: (yargs: Argv) => name(yargs).option('node', NODE),
    load: async () => (await import('../fleet/workers.ts')).undrainWorker,
  }),
  verb({
    command: 'logs <name>',
    describe: 'Print the log of a worker that Nomad placed',
    examples: [
      ['worker logs vm-2 --follow', ''],
      ['worker logs vm-2 --stderr', 'why it did not come up'],
    ],
    builder: (yargs: Argv) =>
      yargs
        .positional('name', {
          type: 'string',
          demandOption: true,
          describe: 'As in `worker list`, its VM, or how the id of its allocation begins',
        })
        .option('follow', { alias: 'f', type: 'boolean', default: false, describe: 'Go on as it is written' })
        .option('stderr', {
          type: 'boolean',
          default: false,
          describe: 'What it wrote when it could not start',
        }),
    load: async () => (await import('../fleet/workers.ts')).workerLogs,
  }),
  verb({
    command: 'stop <name>',
    describe: 'Stop a worker that Nomad placed; its runs go on',
    examples: [['worker stop vm-2', '']],
    builder: name,
    load: async () => (await import('../fleet/workers.ts')).stopWorker,
  }),
];
