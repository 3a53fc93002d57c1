// `autocode up`, `down`, `status`: definitions. Handlers are in ../daemon/.
import type { Argv } from 'yargs';
import { verb } from '../command.ts';

export const upVerb = verb({
  command: 'up',
  describe: 'Start the daemon',
  examples: [
    ['up --detach', 'in the background; returns when it is ready'],
    ['up', 'in the foreground, until Ctrl-C'],
    ['up --roles api,gateway --set api.port=7000', 'some of its parts, on a fixed port'],
  ],
  epilogue: 'With --detach a daemon that runs already is a success, in the foreground it is an error.',
  builder: (yargs: Argv) =>
    yargs
      .option('detach', {
        alias: 'd',
        type: 'boolean',
        default: false,
        describe: 'Start it in the background and wait until it is ready',
      })
      .option('quiet', { type: 'boolean', default: false, hidden: true, describe: 'Log to the files only' })
      .option('roles', {
        type: 'string',
        requiresArg: true,
        describe: 'Parts to run, of api,gateway,scheduler',
      }),
  load: async () => (await import('../daemon/up.ts')).up,
});

export const downVerb = verb({
  command: 'down',
  describe: 'Stop the daemon; runs in progress go on and are taken up again at the next start',
  examples: [['down', '']],
  load: async () => (await import('../daemon/down.ts')).down,
});

export const statusVerb = verb({
  command: 'status',
  describe: 'Show how the daemon and its parts are',
  examples: [
    ['status', ''],
    ['status --watch', 'redrawn every 2 s'],
  ],
  builder: (yargs: Argv) =>
    yargs.option('watch', { alias: 'w', type: 'boolean', default: false, describe: 'Redraw every 2 s' }),
  load: async () => (await import('../daemon/status.ts')).status,
});
