// `autocode run …`: definitions. Handlers are in ../run/.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { RUN_STATES } from './choices.ts';
import { diffOptions, logOptions } from './task.ts';

const run = (yargs: Argv) =>
  yargs.positional('run', { type: 'string', demandOption: true, describe: "The run's id, as 12-1" });

export const runNoun: Noun = {
  noun: 'run',
  describe: 'Attempts at tasks: logs, diffs, model calls',
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List runs, newest first',
      examples: [
        ['run list --task 12', ''],
        ['run list --state failed --limit 20', ''],
      ],
      builder: (yargs: Argv) =>
        yargs
          .option('task', { alias: 't', type: 'number', requiresArg: true, describe: 'Of this task only' })
          .option('state', { choices: RUN_STATES, describe: 'In this state only' })
          .option('worker', { type: 'string', requiresArg: true, describe: 'On this worker only' })
          .option('limit', { type: 'number', default: 50, describe: 'How many at most' })
          .option('watch', { alias: 'w', type: 'boolean', default: false, describe: 'Redraw every 2 s' }),
      load: async () => (await import('../run/list.ts')).listRuns,
    }),
    verb({
      command: 'show <run>',
      describe: 'Show a run: plan, checks, usage',
      examples: [['run show 12-1', '']],
      builder: run,
      load: async () => (await import('../run/show.ts')).showRun,
    }),
    verb({
      command: 'logs <run>',
      describe: "Print a run's log",
      examples: [
        ['run logs 12-1 --follow', ''],
        ['run logs 12-1 --stream raw > session.txt', ''],
      ],
      builder: (yargs: Argv) => logOptions(run(yargs)),
      load: async () => (await import('../run/logs.ts')).runLogs,
    }),
    verb({
      command: 'diff <run>',
      describe: 'Print what a run changed',
      examples: [['run diff 12-1 --stat', '']],
      builder: (yargs: Argv) => diffOptions(run(yargs)),
      load: async () => (await import('../run/diff.ts')).runDiff,
    }),
    verb({
      command: 'calls <run>',
      describe: 'List the model calls of a run',
      examples: [['run calls 12-1', 'tokens, cost, time of each']],
      builder: run,
      load: async () => (await import('../run/calls.ts')).listCalls,
    }),
  ],
};
