// `autocode schedule …`: definitions. Handlers are in ../scheduling/.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

export const scheduleNoun: Noun = {
  noun: 'schedule',
  describe: 'See what runs when, and why',
  verbs: [
    verb({
      command: 'explain <task>',
      describe: 'Say why a task waits, and what would change it',
      examples: [['schedule explain 12', '']],
      epilogue:
        'It names all that keeps the task from running now: a drain, a plan to approve, a retry, a budget, its repositories, workers, room on them.',
      builder: (yargs: Argv) =>
        yargs
          .positional('task', { type: 'number', demandOption: true, describe: "The task's number" })
          .option('watch', { alias: 'w', type: 'boolean', default: false, describe: 'Redraw every 2 s' }),
      load: async () => (await import('../scheduling/explain.ts')).explainTask,
    }),
    verb({
      command: 'simulate [scenario]',
      describe: 'Play a scenario against the scheduler, with a virtual clock',
      examples: [
        ['schedule simulate', 'the scenarios that are shipped'],
        ['schedule simulate ticket-rush', 'one of them'],
        ['schedule simulate week.yaml --workers 2 --set scheduling.limits.perProject=1', 'what if'],
      ],
      epilogue:
        'A file, or the name of a shipped scenario (docs/simulation.md). Settings are those of the scenario and of --set; nothing of this installation is read or changed. Ends with 1 when an expectation does not hold.',
      builder: (yargs: Argv) =>
        yargs
          .positional('scenario', { type: 'string', describe: 'A file, or the name of a shipped one' })
          .option('workers', {
            type: 'number',
            requiresArg: true,
            describe: 'So many workers like its first, instead of its own',
          }),
      load: async () => (await import('../scheduling/simulate.ts')).simulateScenario,
    }),
    verb({
      command: 'record',
      describe: 'Cut a scenario from what happened here',
      examples: [['schedule record --since 7d --out week.yaml', 'to be played with other settings']],
      epilogue:
        'Times, lengths, ends, priorities and settings of the scheduler; names of projects, accounts and workers are replaced, titles and texts are left out.',
      builder: (yargs: Argv) =>
        yargs
          .option('since', {
            type: 'string',
            default: '7d',
            requiresArg: true,
            describe: 'So far back, as 12h or 7d',
          })
          .option('out', {
            type: 'string',
            demandOption: true,
            requiresArg: true,
            describe: 'File to write',
          }),
      load: async () => (await import('../scheduling/record.ts')).recordScenario,
    }),
  ],
};
