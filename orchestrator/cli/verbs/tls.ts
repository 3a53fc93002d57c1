// `autocode tls …`: definitions. Handlers are in ../tls.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

export const tlsNoun: Noun = {
  noun: 'tls',
  describe: 'The certificate that workers on other machines are shown',
  verbs: [
    verb({
      command: 'show',
      describe: 'Show names, validity and the fingerprint of the authority',
      examples: [['tls show', '']],
      load: async () => (await import('../tls.ts')).showTls,
    }),
    verb({
      command: 'rotate',
      describe: 'Make a new certificate and key; the daemon serves them within seconds, without a restart',
      examples: [
        ['tls rotate', 'workers notice nothing'],
        ['tls rotate --authority --yes', 'after its key was seen by others: every worker has to join again'],
      ],
      builder: (yargs: Argv) =>
        yargs
          .option('authority', { type: 'boolean', default: false, describe: 'A new authority too' })
          .option('yes', { type: 'boolean', default: false, describe: 'Do not ask' }),
      load: async () => (await import('../tls.ts')).rotateTls,
    }),
  ],
};
