// `autocode notify …`: definitions. Handlers are in ../notify/.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { DIGESTS, NOTIFICATION_DELIVERY_STATES, NOTIFICATION_KINDS } from './choices.ts';

const own = { type: 'boolean', describe: 'Of the person whose token is used' } as const;
const ownTasks = {
  type: 'boolean',
  describe: 'Only of tasks that the person of the rule gave',
} as const;
const limit = { type: 'number', default: 50, requiresArg: true, describe: 'At most' } as const;
const before = { type: 'number', requiresArg: true, describe: 'Older than this one' } as const;

export const notifyNoun: Noun = {
  noun: 'notify',
  describe: 'Who is told what, and by which channels',
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List the inbox: of the person whose token is used, else of the installation',
      examples: [['notify list --unread', '']],
      builder: (yargs: Argv) =>
        yargs
          .option('unread', { type: 'boolean', default: false, describe: 'What was not read yet' })
          .option('limit', limit)
          .option('before', before),
      load: async () => (await import('../notify/inbox.ts')).listInbox,
    }),
    verb({
      command: 'read <notification>',
      describe: 'Note that the inbox was read up to a notification',
      examples: [['notify read 41', '']],
      builder: (yargs: Argv) =>
        yargs.positional('notification', {
          type: 'number',
          demandOption: true,
          describe: 'Its number in `notify list`',
        }),
      load: async () => (await import('../notify/inbox.ts')).markRead,
    }),
    verb({
      command: 'rules',
      describe: 'List who is told what',
      examples: [['notify rules', '']],
      builder: (yargs: Argv) => yargs.option('own', own),
      load: async () => (await import('../notify/rules.ts')).listRules,
    }),
    verb({
      command: 'subscribe <kinds..>',
      describe: 'Make a rule: who is told of what',
      examples: [
        ['notify subscribe task.failed incident.needs-person --channel ops', 'for the installation'],
        ['notify subscribe change.ready --project shop --person ann', "into ann's inbox"],
        ['notify subscribe change.approved change.conflict --own --own-tasks', 'of my own tasks'],
      ],
      builder: (yargs: Argv) =>
        yargs
          .positional('kinds', {
            choices: NOTIFICATION_KINDS,
            array: true,
            demandOption: true,
            describe: 'Of what',
          })
          .option('project', { type: 'string', requiresArg: true, describe: 'Only of this project' })
          .option('channel', {
            type: 'string',
            array: true,
            nargs: 1,
            default: [] as string[],
            defaultDescription: 'the inbox alone',
            describe: 'Where it goes besides the inbox; repeat for more',
          })
          .option('person', {
            type: 'string',
            requiresArg: true,
            conflicts: 'own',
            describe: 'Whose inbox; that of the installation when left out',
          })
          .option('own-tasks', ownTasks)
          .option('own', own),
      load: async () => (await import('../notify/rules.ts')).subscribe,
    }),
    verb({
      command: 'change <rule>',
      describe: 'Change a rule; what is left out stays',
      examples: [
        ['notify change 3 --kind task.failed --kind change.ready --all-projects', ''],
        ['notify change 3 --inbox-only --own', ''],
      ],
      builder: (yargs: Argv) =>
        yargs
          .positional('rule', {
            type: 'number',
            demandOption: true,
            describe: 'Its number in `notify rules`',
          })
          .option('kind', {
            choices: NOTIFICATION_KINDS,
            array: true,
            nargs: 1,
            describe: 'Of what, instead of what it was; repeat for more',
          })
          .option('project', {
            type: 'string',
            requiresArg: true,
            conflicts: 'all-projects',
            describe: 'Only of this project',
          })
          .option('all-projects', { type: 'boolean', describe: 'Of all projects' })
          .option('channel', {
            type: 'string',
            array: true,
            nargs: 1,
            conflicts: 'inbox-only',
            describe: 'Where it goes besides the inbox, instead of where it went; repeat for more',
          })
          .option('inbox-only', { type: 'boolean', describe: 'To the inbox alone' })
          .option('own-tasks', ownTasks)
          .option('own', own),
      load: async () => (await import('../notify/rules.ts')).changeRule,
    }),
    verb({
      command: 'unsubscribe <rule>',
      describe: 'Remove a rule',
      examples: [['notify unsubscribe 3', '']],
      builder: (yargs: Argv) =>
        yargs
          .positional('rule', {
            type: 'number',
            demandOption: true,
            describe: 'Its number in `notify rules`',
          })
          .option('own', own),
      load: async () => (await import('../notify/rules.ts')).unsubscribe,
    }),
    verb({
      command: 'channels',
      describe: 'List the channels of the configuration',
      examples: [['notify channels', '']],
      load: async () => (await import('../notify/channels.ts')).listChannels,
    }),
    verb({
      command: 'settings',
      describe: 'Show how the person whose token is used is told besides the inbox, or change it',
      examples: [
        ['notify settings --address ann@example.org --email', ''],
        [
          'notify settings --digest daily --digest-at 09:00 --quiet 22:00-07:00 --time-zone Europe/Berlin',
          '',
        ],
      ],
      builder: (yargs: Argv) =>
        yargs
          .option('email', { type: 'boolean', describe: 'Send what the inbox gets to the address, too' })
          .option('address', {
            type: 'string',
            requiresArg: true,
            describe: 'Where email goes; `none` takes it away',
          })
          .option('digest', { choices: DIGESTS, describe: 'Collect what does not press' })
          .option('digest-at', {
            type: 'string',
            requiresArg: true,
            describe: 'When a daily digest goes out, as 09:00',
          })
          .option('quiet', {
            type: 'string',
            requiresArg: true,
            describe: 'When only what is urgent goes out, as 22:00-07:00; `none`: never',
          })
          .option('time-zone', { type: 'string', requiresArg: true, describe: 'As Europe/Berlin' }),
      load: async () => (await import('../notify/settings.ts')).settings,
    }),
    verb({
      command: 'confirm [code]',
      describe: 'Confirm the own address of email by the code of a letter; without one, have a letter sent',
      examples: [['notify confirm', 'sends the letter again']],
      builder: (yargs: Argv) =>
        yargs.positional('code', { type: 'string', describe: 'As it stands in the letter' }),
      load: async () => (await import('../notify/settings.ts')).confirm,
    }),
    verb({
      command: 'test [channel]',
      describe: 'Send a test by a channel, or to the address and the browsers of a person, once',
      examples: [
        ['notify test ops', ''],
        ['notify test --own', ''],
      ],
      builder: (yargs: Argv) =>
        yargs
          .positional('channel', { type: 'string', conflicts: 'own', describe: 'Its name' })
          .option('own', own),
      load: async () => (await import('../notify/channels.ts')).testWays,
    }),
    verb({
      command: 'deliveries',
      describe: 'List what was sent by channels, and what could not be',
      examples: [['notify deliveries --state failed', '']],
      builder: (yargs: Argv) =>
        yargs
          .option('channel', { type: 'string', requiresArg: true, describe: 'By this channel' })
          .option('state', { choices: NOTIFICATION_DELIVERY_STATES, describe: 'In this state' })
          .option('limit', limit)
          .option('before', before),
      load: async () => (await import('../notify/channels.ts')).listDeliveries,
    }),
  ],
};
