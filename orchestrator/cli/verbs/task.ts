// `autocode task …`: definitions. Handlers are in ../task/.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { TASK_STATES } from './choices.ts';
import { limitOptions } from './limit-options.ts';

const task = (yargs: Argv) =>
  yargs.positional('task', { type: 'number', demandOption: true, describe: "The task's number" });

export const taskNoun: Noun = {
  noun: 'task',
  describe: 'Give work and see what becomes of it',
  verbs: [
    verb({
      command: 'add [title]',
      describe: 'Give a task',
      examples: [
        ['task add "Fix the failing date test" --watch', 'in the only project there is, and watch'],
        ['task add "Add a --quiet flag" -p cli -F request.md', 'details from a file'],
        [
          'task add "Speed up search" -p web --accept "p95 < 50 ms" --file src/search',
          'with a criterion and a place',
        ],
        [
          'task add --from-issue https://github.com/acme/shop/issues/12',
          'title and text from an issue; the change closes it',
        ],
      ],
      builder: (yargs: Argv) =>
        limitOptions(
          yargs
            .positional('title', {
              type: 'string',
              describe: 'What is to be done, in one line',
            })
            .option('project', {
              alias: 'p',
              type: 'string',
              requiresArg: true,
              describe: 'Project; may be left out when there is one only',
            })
            .option('body', { alias: 'b', type: 'string', requiresArg: true, describe: 'Details' })
            .option('body-file', {
              alias: 'F',
              type: 'string',
              requiresArg: true,
              describe: 'Details from a file; - reads stdin',
            })
            .option('accept', {
              type: 'string',
              array: true,
              nargs: 1,
              describe: 'Acceptance criterion; repeat for more',
            })
            .option('file', {
              type: 'string',
              array: true,
              nargs: 1,
              describe: 'File or folder that the change is expected in',
            })
            .option('priority', { type: 'number', requiresArg: true, describe: '-100 to 100, higher first' })
            .option('repo', {
              type: 'string',
              array: true,
              nargs: 1,
              describe: "Repositories of the project to work in, as 'api,web'; all when left out",
            })
            .option('branch', {
              type: 'string',
              requiresArg: true,
              describe: "Base branch; the project's when left out",
            })
            .option('agent', { type: 'string', requiresArg: true, describe: 'Coding agent' })
            .option('model', {
              alias: 'm',
              type: 'string',
              requiresArg: true,
              describe: 'Model, as engine/model',
            }),
        )
          .option('key', {
            type: 'string',
            requiresArg: true,
            describe: 'Idempotency key: the same key gives the same task',
          })
          .option('approve-plan', {
            type: 'boolean',
            describe: 'Wait with the work until `task approve`; as the project has it when left out',
          })
          .option('from-issue', {
            type: 'string',
            requiresArg: true,
            describe: 'Address of an issue, instead of a title; its project is found by the repository',
          })
          .option('again', {
            type: 'boolean',
            default: false,
            describe: 'Another task of an issue that has one already',
          })
          .option('force', { type: 'boolean', default: false, describe: 'Although the issue is closed' })
          .option('watch', {
            alias: 'w',
            type: 'boolean',
            default: false,
            describe: 'Watch it until it ends',
          })
          .conflicts('from-issue', 'key')
          .conflicts('body', 'body-file'),
      load: async () => (await import('../task/add.ts')).addTask,
    }),
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List tasks, newest first',
      examples: [
        ['task list --state failed', ''],
        ['task list --watch', 'redrawn as it changes'],
      ],
      builder: (yargs: Argv) =>
        yargs
          .option('project', {
            alias: 'p',
            type: 'string',
            requiresArg: true,
            describe: 'Of this project only',
          })
          .option('state', { choices: TASK_STATES, describe: 'In this state only' })
          .option('limit', { type: 'number', default: 50, describe: 'How many at most' })
          .option('before', {
            type: 'number',
            requiresArg: true,
            describe: 'Older than this task: the next page',
          })
          .option('watch', { alias: 'w', type: 'boolean', default: false, describe: 'Redraw every 2 s' }),
      load: async () => (await import('../task/list.ts')).listTasks,
    }),
    verb({
      command: 'show <task>',
      describe: 'Show a task, its runs and its change',
      examples: [['task show 12', '']],
      builder: task,
      load: async () => (await import('../task/show.ts')).showTask,
    }),
    verb({
      command: 'watch <task>',
      describe: 'Follow a task until it ends',
      examples: [['task watch 12', 'exit code 0: completed, 1: not']],
      epilogue: 'Ctrl-C stops watching, not the task.',
      builder: task,
      load: async () => (await import('../task/watch.ts')).watchTask,
    }),
    verb({
      command: 'logs <task>',
      describe: "Print the log of the task's newest run",
      examples: [
        ['task logs 12 --follow', ''],
        ['task logs 12 --stream raw', "the agent's own bytes"],
      ],
      builder: (yargs: Argv) => logOptions(task(yargs)),
      load: async () => (await import('../run/logs.ts')).taskLogs,
    }),
    verb({
      command: 'diff <task>',
      describe: 'Print what the task changed',
      examples: [
        ['task diff 12 | git apply', ''],
        ['task diff 12 --stat', ''],
      ],
      builder: (yargs: Argv) => diffOptions(task(yargs)),
      load: async () => (await import('../run/diff.ts')).taskDiff,
    }),
    verb({
      command: 'send <task> <text>',
      describe: 'Say something to the agent of a task',
      examples: [
        ['task send 12 "Use the date library that is there"', ''],
        ['task send 12 - < review.txt', 'from stdin'],
      ],
      epilogue:
        'It reaches an agent at work at once where it can be interrupted (docs/steering.md), else with its next prompt, or that of the next run. Refused when the task has ended.',
      builder: (yargs: Argv) =>
        task(yargs).positional('text', {
          type: 'string',
          demandOption: true,
          describe: 'What is to be said; - reads stdin',
        }),
      load: async () => (await import('../task/steer.ts')).sendToTask,
    }),
    verb({
      command: 'approve <task>',
      describe: 'Let a task begin by its plan',
      examples: [
        ['task approve 12', ''],
        ['task approve 12 --edit plan.json', 'with other steps'],
      ],
      epilogue:
        'For tasks that were added with --approve-plan, or of projects that are set so. The plan is JSON, as `task show 12 --json | jq .plan` gives it, or: {"summary": "…", "steps": ["…", "…"]}.',
      builder: (yargs: Argv) =>
        watchOption(task(yargs)).option('edit', {
          type: 'string',
          requiresArg: true,
          describe: 'File with the plan to go by instead; - reads stdin',
        }),
      load: async () => (await import('../task/steer.ts')).approveTask,
    }),
    verb({
      command: 'reject <task>',
      describe: 'Have another plan made for a task',
      examples: [['task reject 12 --message "Do not touch the parser"', '']],
      epilogue: 'To give the task up, use `task cancel`.',
      builder: (yargs: Argv) =>
        watchOption(task(yargs)).option('message', {
          alias: 'm',
          type: 'string',
          requiresArg: true,
          demandOption: true,
          describe: 'What is wrong with the plan; - reads stdin',
        }),
      load: async () => (await import('../task/steer.ts')).rejectTask,
    }),
    verb({
      command: 'set <task>',
      describe: 'Change a task before it runs; its priority also while it runs',
      examples: [
        ['task set 12 --priority 5', 'before others that came earlier'],
        ['task set 12 --body-file request.md --deadline 30', ''],
      ],
      epilogue: 'Limits are set all together: those that are not named are as the project has them.',
      builder: (yargs: Argv) =>
        limitOptions(
          task(yargs)
            .option('title', {
              type: 'string',
              requiresArg: true,
              describe: 'What is to be done, in one line',
            })
            .option('body', { alias: 'b', type: 'string', describe: 'Details' })
            .option('body-file', {
              alias: 'F',
              type: 'string',
              requiresArg: true,
              describe: 'Details from a file; - reads stdin',
            })
            .option('accept', {
              type: 'string',
              array: true,
              nargs: 1,
              describe: 'Acceptance criterion, instead of all there are; repeat for more',
            })
            .option('file', {
              type: 'string',
              array: true,
              nargs: 1,
              describe:
                'File or folder that the change is expected in, instead of all there are; repeat for more',
            })
            .option('priority', { type: 'number', requiresArg: true, describe: '-100 to 100, higher first' }),
        ).conflicts('body', 'body-file'),
      load: async () => (await import('../task/set.ts')).setTask,
    }),
    verb({
      command: 'cancel <task>',
      describe: 'Cancel a task, whatever its state',
      examples: [['task cancel 12', '']],
      builder: task,
      load: async () => (await import('../task/decide.ts')).cancelTask,
    }),
    verb({
      command: 'retry <task>',
      describe: 'Give a task that ended without a change another run',
      examples: [['task retry 12 --watch', '']],
      builder: (yargs: Argv) => watchOption(task(yargs)),
      load: async () => (await import('../task/decide.ts')).retryTask,
    }),
    verb({
      command: 'dead-letters',
      describe: 'List tasks that failed and are not tried again by themselves',
      examples: [['task dead-letters -p shop', 'of one project, those that ended last first']],
      epilogue:
        'Their retries are used up, or another try would end the same way. `task retry` gives one another run.',
      builder: (yargs: Argv) =>
        yargs
          .option('project', {
            alias: 'p',
            type: 'string',
            requiresArg: true,
            describe: 'Of this project only',
          })
          .option('limit', { type: 'number', default: 50, describe: 'How many at most' })
          .option('before', {
            type: 'number',
            requiresArg: true,
            describe: 'After this task in the list: the next page',
          }),
      load: async () => (await import('../scheduling/dead-letters.ts')).deadLetters,
    }),
  ],
};

function watchOption<A>(yargs: Argv<A>) {
  return yargs.option('watch', {
    alias: 'w',
    type: 'boolean',
    default: false,
    describe: 'Watch it until it ends',
  });
}

/** Options of `task logs` and `run logs`. */
export function logOptions<A>(yargs: Argv<A>) {
  return yargs
    .option('stream', {
      choices: ['events', 'raw'] as const,
      default: 'events' as const,
      describe: 'events: what happened; raw: the bytes of the agent',
    })
    .option('follow', { alias: 'f', type: 'boolean', default: false, describe: 'Go on until the log ends' });
}

/** Options of every `diff`. */
export function diffOptions<A>(yargs: Argv<A>) {
  return yargs
    .option('stat', { type: 'boolean', describe: 'Files and counts of lines' })
    .option('names', { type: 'boolean', describe: 'Names of files' })
    .conflicts('stat', 'names');
}
