// `autocode project repo …`: definitions. Handlers are in ../project/repositories.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { forgeOptions } from './forge-options.ts';

const project = (yargs: Argv) =>
  yargs.positional('project', { type: 'string', demandOption: true, describe: "The project's name" });

export const projectRepoNoun: Noun = {
  noun: 'repo',
  describe: 'Repositories of a project; a task works in all of them, or in those that it names',
  verbs: [
    verb({
      command: 'add <project> [repository]',
      describe: 'Add a repository; tasks given from then on work in it too',
      examples: [
        ['project repo add shop ~/src/shop-web', ''],
        ['project repo add shop https://git.example.com/acme/shop-web.git --name web --branch develop', ''],
      ],
      builder: (yargs: Argv) =>
        forgeOptions(project(yargs))
          .positional('repository', { type: 'string', describe: 'Path or git URL; a new one without' })
          .option('name', {
            type: 'string',
            requiresArg: true,
            describe: 'Its folder in the work tree; the last part of its address when left out',
          })
          .option('branch', {
            type: 'string',
            requiresArg: true,
            describe: "Default branch; the repository's own when left out",
          })
          .option('allow-dirty', {
            type: 'boolean',
            default: false,
            describe: 'Accept a working copy with uncommitted changes (no run sees them)',
          }),
      load: async () => (await import('../project/repositories.ts')).addRepository,
    }),
    verb({
      command: 'list <project>',
      aliases: ['ls'],
      describe: 'List the repositories of a project, the primary one first',
      examples: [['project repo list shop', '']],
      builder: project,
      load: async () => (await import('../project/repositories.ts')).listRepositories,
    }),
    verb({
      command: 'remove <project> <repository>',
      aliases: ['rm'],
      describe: 'Take a repository out of a project; what was done there stays to be read',
      examples: [['project repo remove shop web', 'refused while a task that is not done works there']],
      builder: (yargs: Argv) =>
        project(yargs).positional('repository', {
          type: 'string',
          demandOption: true,
          describe: 'Its name in the project',
        }),
      load: async () => (await import('../project/repositories.ts')).removeRepository,
    }),
  ],
};
