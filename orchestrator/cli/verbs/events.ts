// `autocode events`: definition. The handler is in ../events.ts.
import type { Argv } from 'yargs';
import { verb } from '../command.ts';
import { EVENT_KINDS } from './choices.ts';

export const eventsVerb = verb({
  command: 'events',
  describe: 'Print what happened, and with --follow what happens',
  examples: [
    ['events --follow', ''],
    ['events --task 12', ''],
    ['events --follow --json --kind change.opened', 'one JSON line each, for a script'],
  ],
  epilogue: 'Each event has an id; --after takes one and goes on behind it, without a gap.',
  builder: (yargs: Argv) =>
    yargs
      .option('follow', { alias: 'f', type: 'boolean', default: false, describe: 'Go on with what happens' })
      .option('project', { alias: 'p', type: 'string', requiresArg: true, describe: 'Of this project only' })
      .option('task', { alias: 't', type: 'number', requiresArg: true, describe: 'Of this task only' })
      .option('run', { type: 'string', requiresArg: true, describe: 'Of this run only' })
      .option('kind', { choices: EVENT_KINDS, describe: 'Of this kind only' })
      .option('after', { type: 'string', requiresArg: true, describe: 'Behind this event' })
      .option('limit', { type: 'number', default: 100, describe: 'Without --follow: how many at most' }),
  load: async () => (await import('../events.ts')).events,
});
