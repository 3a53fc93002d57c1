// `autocode worker …`: definitions. Handlers are in ../workers.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { SANDBOXES } from './choices.ts';
import { fleetVerbs } from './worker-fleet.ts';
import { joiningVerbs } from './worker-join.ts';

const STATE_DIR = {
  type: 'string',
  requiresArg: true,
  describe: "The worker's own directory: runs, claims, caches; one worker each",
} as const;

export const workerNoun: Noun = {
  noun: 'worker',
  describe: 'Machines that do runs',
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List workers',
      examples: [['worker list --watch', '']],
      builder: (yargs: Argv) =>
        yargs.option('watch', { alias: 'w', type: 'boolean', default: false, describe: 'Redraw every 2 s' }),
      load: async () => (await import('../workers.ts')).listWorkers,
    }),
    verb({
      command: 'start',
      describe: 'Run a worker here, in the foreground, for a daemon on this or another machine',
      examples: [
        ['worker start --url http://10.0.0.5:7000 --token-file worker.token --name vm-2 --concurrency 4', ''],
        ['worker start --project shop --daily-budget 20', 'for one project, within 20 a day'],
      ],
      epilogue:
        "The token has the role worker: `autocode token create vm-2 --role worker` on the daemon's machine. Ctrl-C leaves runs in progress to the next start.",
      builder: (yargs: Argv) =>
        yargs
          .option('name', {
            type: 'string',
            requiresArg: true,
            describe: "Its name; the host's when left out",
          })
          .option('concurrency', { type: 'number', requiresArg: true, describe: 'Runs at a time' })
          .option('project', {
            type: 'string',
            requiresArg: true,
            describe: 'Take tasks of this project only; in a job AUTOCODE_WORKER_PROJECT',
          })
          .option('daily-budget', {
            type: 'number',
            requiresArg: true,
            describe:
              'What its runs may spend a day, in the ledger currency; in a job AUTOCODE_WORKER_DAILY_BUDGET',
          })
          .option('label', {
            type: 'string',
            array: true,
            nargs: 1,
            describe: 'A label that projects can ask for; repeat for more, in a job AUTOCODE_WORKER_LABELS',
          })
          .option('state-dir', STATE_DIR),
      load: async () => (await import('../workers.ts')).startWorker,
    }),
    ...fleetVerbs,
    ...joiningVerbs,
    verb({
      command: 'selftest',
      describe: 'Try every way out of the sandbox on this machine; exit code 1 when one is open',
      examples: [
        ['worker selftest', ''],
        ['worker selftest --isolation container', ''],
      ],
      epilogue: 'Each run tries those that are quick by itself, and is not started when one is open.',
      builder: (yargs: Argv) =>
        yargs.option('isolation', {
          choices: SANDBOXES,
          default: SANDBOXES[0],
          describe: 'Which sandbox',
        }),
      load: async () => (await import('../sandbox.ts')).selfTest,
    }),
    verb({
      command: 'cache',
      describe: 'Show what the worker on this machine keeps of repositories, and what it takes',
      examples: [
        ['worker cache', ''],
        ['worker cache --prune', 'removes all that no run uses'],
      ],
      epilogue:
        'A worker keeps within workspace.cacheBytes by itself; what was not used for longest goes first.',
      builder: (yargs: Argv) =>
        yargs
          .option('prune', { type: 'boolean', default: false, describe: 'Remove all that no run uses' })
          .option('state-dir', STATE_DIR),
      load: async () => (await import('../worker-cache.ts')).workerCache,
    }),
    verb({
      command: 'reconcile',
      describe:
        'Find and mend what differs: leftovers of ended runs here, and workers, runs and allocations of the fleet',
      examples: [['worker reconcile --dry-run', 'only shows it']],
      epilogue:
        'A worker does so by itself every 30 s, the daemon every minute for the fleet (docs/fleet.md). What is found twice is mended; with --dry-run nothing is.',
      builder: (yargs: Argv) =>
        yargs
          .option('dry-run', { type: 'boolean', default: false, describe: 'Change nothing' })
          .option('state-dir', STATE_DIR),
      load: async () => (await import('../reconcile.ts')).reconcileWorker,
    }),
  ],
};
