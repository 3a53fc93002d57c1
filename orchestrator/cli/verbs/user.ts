// `autocode user …`: definitions. Handlers are in ../users.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { PERSON_ROLES } from './choices.ts';

const named = <T>(yargs: Argv<T>) =>
  yargs.positional('name', { type: 'string', demandOption: true, describe: 'Name of the person' });
const rights = <T>(yargs: Argv<T>) =>
  yargs
    .option('email', {
      type: 'string',
      requiresArg: true,
      describe: 'Address that notifications may be sent to, as confirmed; `none` takes it away',
    })
    .option('role', { choices: [...PERSON_ROLES, 'none'] as const, describe: 'Role in all projects' })
    .option('project', {
      type: 'string',
      array: true,
      nargs: 1,
      default: [] as string[],
      defaultDescription: 'none',
      describe:
        'Role in one project besides, as PROJECT=operator; PROJECT=none takes it away; repeat for more',
    });

export const userNoun: Noun = {
  noun: 'user',
  describe: 'People who sign in at the web page',
  verbs: [
    verb({
      command: 'create <name>',
      describe: 'Make a person; the link to set a password is shown once',
      examples: [
        ['user create ann --role admin', ''],
        ['user create bob --project shop=operator --project docs=viewer', 'sees these two projects alone'],
      ],
      epilogue: 'admin: everything. operator: projects, tasks, changes. viewer: reads.',
      builder: (yargs: Argv) => rights(named(yargs)),
      load: async () => (await import('../users.ts')).createUser,
    }),
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List people',
      examples: [['user list', '']],
      load: async () => (await import('../users.ts')).listUsers,
    }),
    verb({
      command: 'show <name>',
      describe: 'Show a person',
      examples: [['user show ann', '']],
      builder: (yargs: Argv) => named(yargs),
      load: async () => (await import('../users.ts')).showUser,
    }),
    verb({
      command: 'set <name>',
      describe: 'Change what a person may do',
      examples: [['user set bob --role viewer --project shop=operator', '']],
      builder: (yargs: Argv) => rights(named(yargs)),
      load: async () => (await import('../users.ts')).setUser,
    }),
    verb({
      command: 'disable <name>',
      describe: 'Sign a person out and let nobody in by that name; tokens of the person open nothing',
      examples: [['user disable bob', '']],
      builder: (yargs: Argv) => named(yargs),
      load: async () => (await import('../users.ts')).disableUser,
    }),
    verb({
      command: 'enable <name>',
      describe: 'Let a disabled person sign in again',
      examples: [['user enable bob', '']],
      builder: (yargs: Argv) => named(yargs),
      load: async () => (await import('../users.ts')).enableUser,
    }),
    verb({
      command: 'reset <name>',
      describe: 'Print a new link to set a password; the old password holds until it is used',
      examples: [['user reset ann', '']],
      builder: (yargs: Argv) => named(yargs),
      load: async () => (await import('../users.ts')).resetUser,
    }),
    verb({
      command: 'sessions [name]',
      describe: 'List where people are signed in',
      examples: [['user sessions ann', '']],
      builder: (yargs: Argv) =>
        yargs.positional('name', { type: 'string', describe: 'Name of the person; everybody when left out' }),
      load: async () => (await import('../users.ts')).listSessions,
    }),
    verb({
      command: 'revoke <id>',
      describe: 'End a session at once',
      examples: [['user revoke 7', '']],
      builder: (yargs: Argv) =>
        yargs.positional('id', {
          type: 'number',
          demandOption: true,
          describe: 'Its number in `user sessions`',
        }),
      load: async () => (await import('../users.ts')).revokeSession,
    }),
  ],
};
