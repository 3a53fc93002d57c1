// `autocode project import`: the definition. The handler is in ../project/import.ts.
import type { Argv } from 'yargs';
import { verb } from '../command.ts';
import { forgeOptions } from './forge-options.ts';

export const importVerb = verb({
  command: 'import <from>',
  describe: 'Register the repositories of a forge as projects; those that are there are left alone',
  examples: [
    ['project import github --owner acme --dry-run', 'what would be registered'],
    ["project import github --owner acme --match 'acme/shop-*' --yes", ''],
    ['project import https://git.example.com --forge-token-file token.txt', 'a forge not named before'],
  ],
  epilogue:
    'Listed is what the credential of the forge can push to; archived repositories are left out. One that cannot be registered does not stop the others: exit code 1.',
  builder: (yargs: Argv) =>
    forgeOptions(
      yargs.positional('from', {
        type: 'string',
        demandOption: true,
        describe: 'Name of a forge, or its address',
      }),
    )
      .option('owner', {
        type: 'string',
        requiresArg: true,
        describe: 'Of this user, organisation or group only',
      })
      .option('match', {
        type: 'string',
        requiresArg: true,
        describe: "Only paths that fit, as 'acme/shop-*'; `**` goes into groups",
      })
      .option('dry-run', { type: 'boolean', default: false, describe: 'Only say what would be done' })
      .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask' }),
  load: async () => (await import('../project/import.ts')).importProjects,
});
