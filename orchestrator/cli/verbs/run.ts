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
      command: 'diff <run> [other]',
      describe: 'Print what a run changed, or how the results of two runs differ',
      examples: [
        ['run diff 12-1 --stat', 'what the run changed'],
        ['run diff 12-1 14-1', "from the first one's result to the second one's"],
        ['run diff 12 14 --names', 'the newest runs of two tasks'],
      ],
      builder: (yargs: Argv) =>
        diffOptions(
          yargs
            .positional('run', {
              type: 'string',
              demandOption: true,
              describe: "The run's id, as 12-1; a task's number stands for its newest run",
            })
            .positional('other', { type: 'string', describe: 'Another run of the same repository' }),
        ),
      load: async () => (await import('../run/diff.ts')).runDiff,
    }),
    verb({
      command: 'replay <run>',
      describe: 'Do a run again, to be compared; its result is never submitted',
      examples: [
        ['run replay 12-1 --model vllm/qwen3 --wait', 'with another model; both outcomes side by side'],
        ['run replay 12-1 --agent codex', 'then `run diff 12-1 TASK`'],
      ],
      epilogue:
        'It starts from the same commits, with the same words and the same limits, as a task of its own that opens no change.',
      builder: (yargs: Argv) =>
        run(yargs)
          .option('agent', { type: 'string', requiresArg: true, describe: 'Another coding agent' })
          .option('model', {
            alias: 'm',
            type: 'string',
            requiresArg: true,
            describe: 'Another model, as engine/model',
          })
          .option('deadline', { type: 'number', requiresArg: true, describe: 'Minutes that it may take' })
          .option('iterations', {
            type: 'number',
            requiresArg: true,
            describe: 'How often a failing verify goes back to the agent',
          })
          .option('wait', {
            type: 'boolean',
            default: false,
            describe: 'Watch it until it ends, then show both side by side',
          }),
      load: async () => (await import('../run/replay.ts')).replay,
    }),
    verb({
      command: 'calls <run>',
      describe: 'List the model calls of a run',
      examples: [['run calls 12-1', 'tokens, cost, time of each']],
      builder: run,
      load: async () => (await import('../run/calls.ts')).listCalls,
    }),
    verb({
      command: 'prompts <run> [call]',
      describe: 'Show what a run asked a model and was answered, where its project keeps that',
      examples: [
        ['run prompts 12-1', 'the calls whose prompts are kept'],
        ['run prompts 12-1 345', 'one of them; that you read it is an event'],
      ],
      epilogue:
        'Kept are calls of runs whose project says so (`model policy PROJECT --keep-prompts`), for retention.promptsDays. For admins.',
      builder: (yargs: Argv) =>
        run(yargs).positional('call', { type: 'number', describe: 'Number of the call, as in the list' }),
      load: async () => (await import('../run/prompts.ts')).showPrompts,
    }),
  ],
};
