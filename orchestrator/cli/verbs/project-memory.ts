// `autocode project memory …`: definitions. Handlers are in ../project/memory.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

const which = (yargs: Argv) =>
  yargs
    .positional('project', { type: 'string', demandOption: true, describe: "The project's name" })
    .option('repo', {
      type: 'string',
      requiresArg: true,
      describe: 'One of its repositories; all of them when left out',
    });

export const projectMemoryNoun: Noun = {
  noun: 'memory',
  describe:
    'What runs leave about a repository for later runs: notes, caches of dependencies (docs/memory.md)',
  verbs: [
    verb({
      command: 'show <project>',
      describe: 'Show the notes as the next run is given them',
      examples: [
        ['project memory show shop', ''],
        ['project memory show shop --version 17', 'as they were then'],
      ],
      builder: (yargs: Argv) =>
        which(yargs).option('version', {
          type: 'number',
          requiresArg: true,
          describe: 'A version of `project memory log` instead',
        }),
      load: async () => (await import('../project/memory.ts')).showMemory,
    }),
    verb({
      command: 'log <project>',
      describe: 'List the versions of the notes, newest first, each with the run that left it',
      examples: [['project memory log shop', '']],
      builder: which,
      load: async () => (await import('../project/memory.ts')).logMemory,
    }),
    verb({
      command: 'caches <project>',
      describe: 'List the caches of dependencies that workers keep, each with the run that left it',
      examples: [['project memory caches shop', '']],
      builder: which,
      load: async () => (await import('../project/memory.ts')).listCaches,
    }),
    verb({
      command: 'clear <project>',
      describe:
        'Forget the notes with all their versions, or the caches; a run at work that was given them leaves none',
      examples: [
        ['project memory clear shop --repo web', ''],
        ['project memory clear shop --caches', 'what package managers fetched, and no notes'],
      ],
      builder: (yargs: Argv) =>
        which(yargs)
          .option('caches', {
            type: 'boolean',
            default: false,
            describe: 'The caches of dependencies on all workers instead of the notes',
          })
          .option('yes', { type: 'boolean', default: false, describe: 'Do not ask' }),
      load: async () => (await import('../project/memory.ts')).clearMemory,
    }),
  ],
};
