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
  ],
};
