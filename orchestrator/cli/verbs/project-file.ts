// `autocode project file …`: definitions. Handlers are in ../project/file.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

export const projectFileNoun: Noun = {
  noun: 'file',
  describe: 'Settings that a repository brings itself: .autocode.yaml (docs/project-file.md)',
  verbs: [
    verb({
      command: 'check [path]',
      describe: 'Say what is wrong with an .autocode.yaml; needs no daemon',
      examples: [['project file check', 'that of the working directory; exit code 1: not valid']],
      builder: (yargs: Argv) =>
        yargs.positional('path', { type: 'string', default: '.', describe: 'The file, or its folder' }),
      load: async () => (await import('../project/file.ts')).checkFile,
    }),
    verb({
      command: 'show <project>',
      describe: "Show the .autocode.yaml of a project's repository as it is now",
      examples: [['project file show shop --branch release', '']],
      builder: (yargs: Argv) =>
        yargs
          .positional('project', { type: 'string', demandOption: true, describe: "The project's name" })
          .option('branch', {
            type: 'string',
            requiresArg: true,
            describe: 'At this branch; the default one when left out',
          }),
      load: async () => (await import('../project/file.ts')).showFile,
    }),
  ],
};
