// `autocode worker …`: definitions. Handlers are in ../workers.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

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
          .option('concurrency', { type: 'number', requiresArg: true, describe: 'Runs at a time' }),
      load: async () => (await import('../workers.ts')).startWorker,
    }),
  ],
};
