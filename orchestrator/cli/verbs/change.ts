// `autocode change …`: definitions. Handlers are in ../change/.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { MERGEABLE, REVIEW_STATES } from './choices.ts';
import { diffOptions } from './task.ts';

const change = (yargs: Argv) =>
  yargs.positional('change', { type: 'number', demandOption: true, describe: "The change's number" });

export const changeNoun: Noun = {
  noun: 'change',
  describe: 'Branches and pull requests that tasks ended in',
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List changes, newest first',
      examples: [
        ['change list --state open', ''],
        ['change list --state open --review approved --mergeable yes', 'what only has to be merged'],
      ],
      builder: (yargs: Argv) =>
        yargs
          .option('project', {
            alias: 'p',
            type: 'string',
            requiresArg: true,
            describe: 'Of this project only',
          })
          .option('state', { choices: ['open', 'merged', 'closed'] as const, describe: 'In this state only' })
          .option('review', { choices: REVIEW_STATES, describe: 'Reviewed so by its newest version only' })
          .option('mergeable', { choices: MERGEABLE, describe: 'Whether the forge would merge it' })
          .option('watch', { alias: 'w', type: 'boolean', default: false, describe: 'Redraw every 2 s' }),
      load: async () => (await import('../change/list.ts')).listChanges,
    }),
    verb({
      command: 'show <change>',
      describe: 'Show a change with the body of its pull request',
      examples: [['change show 3', '']],
      builder: change,
      load: async () => (await import('../change/show.ts')).showChange,
    }),
    verb({
      command: 'diff <change>',
      describe: 'Print the diff of a change',
      examples: [['change diff 3 | less -R', '']],
      builder: (yargs: Argv) => diffOptions(change(yargs)),
      load: async () => (await import('../run/diff.ts')).changeDiff,
    }),
    verb({
      command: 'merge <change>',
      describe: "Merge a change into its base branch, by its project's merge method",
      examples: [['change merge 3', '']],
      builder: change,
      load: async () => (await import('../change/decide.ts')).mergeChange,
    }),
    verb({
      command: 'resolve <change>',
      describe: 'Have its agent resolve a conflict with its base branch: its task is opened again',
      examples: [
        ['change resolve 3', ''],
        ['change resolve 3 --message "Keep the new names."', ''],
      ],
      builder: (yargs: Argv) =>
        change(yargs).option('message', {
          alias: 'm',
          type: 'string',
          requiresArg: true,
          describe: 'To the agent, besides what the conflict is',
        }),
      load: async () => (await import('../change/decide.ts')).resolveChange,
    }),
    verb({
      command: 'close <change>',
      describe: 'Close a change without merging; its branch stays',
      examples: [
        ['change close 3', ''],
        ['change close 3 --comment "Done by hand in #41."', 'told on the pull request'],
      ],
      builder: (yargs: Argv) =>
        change(yargs).option('comment', {
          type: 'string',
          requiresArg: true,
          describe: 'Said on the pull request before it is closed',
        }),
      load: async () => (await import('../change/decide.ts')).closeChange,
    }),
  ],
};
