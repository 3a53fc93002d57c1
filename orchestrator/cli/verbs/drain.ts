// `autocode drain …`: definitions. Handlers are in ../scheduling/.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { AT_DEADLINE } from './choices.ts';

export const drainNoun: Noun = {
  noun: 'drain',
  describe: 'Let work come to rest before a shutdown or an upgrade',
  verbs: [
    verb({
      command: 'start',
      describe: 'Let no run begin any more; tasks still come in, and wait',
      examples: [
        ['drain start --wait', 'returns when no run is active'],
        ['drain start --reason "new disks" --deadline 30 --then cancel --wait', ''],
      ],
      epilogue:
        'From its answer on no run begins. What happens at the deadline: wait goes on waiting, cancel ends the runs and does their tasks again after the drain, stop ends the daemon while the runs go on. A drain outlives restarts; it ends with `drain stop`. Exit code 1 with --wait: it ended otherwise. See docs/scheduling.md.',
      builder: (yargs: Argv) =>
        yargs
          .option('reason', { type: 'string', requiresArg: true, describe: 'Why, for those who wait' })
          .option('deadline', {
            type: 'number',
            requiresArg: true,
            describe: 'Minutes that runs may take to end; as configured when left out',
          })
          .option('then', {
            choices: AT_DEADLINE,
            describe: 'What happens at the deadline; as configured when left out',
          })
          .option('wait', { type: 'boolean', default: false, describe: 'Wait until no run is active' }),
      load: async () => (await import('../scheduling/drain.ts')).startDrain,
    }),
    verb({
      command: 'status',
      describe: 'Show whether runs begin, and which are active',
      examples: [['drain status --watch', 'redrawn every 2 s']],
      builder: (yargs: Argv) =>
        yargs.option('watch', { alias: 'w', type: 'boolean', default: false, describe: 'Redraw every 2 s' }),
      load: async () => (await import('../scheduling/drain.ts')).drainStatus,
    }),
    verb({
      command: 'stop',
      describe: 'Let runs begin again, in the order in which their tasks waited',
      examples: [['drain stop', '']],
      epilogue: 'What the flag file asks for ends when it says false, or is removed.',
      load: async () => (await import('../scheduling/drain.ts')).stopDrain,
    }),
  ],
};
