// `autocode backup …`: definitions. Handlers are in ../backups.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

export const backupNoun: Noun = {
  noun: 'backup',
  describe: 'Database and files in one archive',
  verbs: [
    verb({
      command: 'create [file]',
      describe: 'Write a backup; the daemon may go on running',
      examples: [['backup create /mnt/backup/autocode.tar.gz', '']],
      builder: (yargs: Argv) =>
        yargs.positional('file', {
          type: 'string',
          describe: 'Archive to write; in the data directory when left out',
        }),
      load: async () => (await import('../backups.ts')).create,
    }),
    verb({
      command: 'restore <file>',
      describe: 'Restore a backup into an empty data directory',
      examples: [['backup restore autocode.tar.gz --set dataDir=/mnt/data/autocode', '']],
      epilogue:
        'Sums are verified before anything is written. Runs that were live count as lost and are retried.',
      builder: (yargs: Argv) =>
        yargs.positional('file', { type: 'string', demandOption: true, describe: 'The archive' }),
      load: async () => (await import('../backups.ts')).restore,
    }),
    verb({
      command: 'verify <file>',
      describe: 'Check the sums of a backup without restoring it',
      examples: [['backup verify autocode.tar.gz', '']],
      builder: (yargs: Argv) =>
        yargs.positional('file', { type: 'string', demandOption: true, describe: 'The archive' }),
      load: async () => (await import('../backups.ts')).verify,
    }),
  ],
};
