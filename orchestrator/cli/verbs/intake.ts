// `autocode intake …`: definitions. Handlers are in ../intake/.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { DELIVERY_STATES, SOURCE_KINDS, VERDICTS } from './choices.ts';

const name = (yargs: Argv) =>
  yargs.positional('name', { type: 'string', demandOption: true, describe: 'Name of the source' });
const delivery = (yargs: Argv) =>
  yargs.positional('delivery', {
    type: 'number',
    demandOption: true,
    describe: 'Its number in `intake log`',
  });
const item = (yargs: Argv) =>
  yargs.positional('item', { type: 'number', demandOption: true, describe: 'Its number in `intake show`' });

const QUARANTINE = {
  type: 'boolean',
  describe: 'Let a person look first at text that looks like instructions to an agent',
} as const;

/** What a source is told, when it is added and later. */
function given<T>(yargs: Argv<T>) {
  return yargs
    .option('project', { type: 'string', requiresArg: true, describe: 'Whose tasks come of it' })
    .option('settings', {
      type: 'string',
      requiresArg: true,
      describe: 'File with the settings of its kind, YAML',
    })
    .option('secret-file', {
      type: 'string',
      requiresArg: true,
      describe: 'File with what it is authentic by; - is stdin',
    })
    .option('actor', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'Whose words may start work; * is everybody',
    })
    .option('per-hour', { type: 'number', requiresArg: true, describe: 'Items taken in an hour' })
    .option('per-actor', { type: 'number', requiresArg: true, describe: 'Of one actor' })
    .option('reopenings', {
      type: 'number',
      requiresArg: true,
      describe: 'Times that one task is opened again by what is said afterwards',
    });
}

const sourceNoun: Noun = {
  noun: 'source',
  describe: 'Where work comes from',
  verbs: [
    verb({
      command: 'add <name>',
      describe: 'Add a source',
      examples: [
        ['intake source add work --kind forge --settings work.yaml --actor alice', ''],
        ['intake source add tracker --kind webhook --project shop --secret-file key', ''],
      ],
      epilogue: 'What stands in the settings depends on the kind: docs/intake.md.',
      builder: (yargs: Argv) =>
        given(
          name(yargs).option('kind', { choices: SOURCE_KINDS, demandOption: true, describe: 'What it is' }),
        ).option('quarantine', { ...QUARANTINE, default: true }),
      load: async () => (await import('../intake/sources.ts')).addSource,
    }),
    verb({
      command: 'set <name>',
      describe: 'Change a source; what is left out stays as it is',
      examples: [
        ['intake source set work --settings work.yaml', 'all of its settings'],
        ['intake source set work --actor alice --actor bob', 'nobody else'],
        ['intake source set tracker --secret-file key', ''],
      ],
      epilogue:
        'Its name and kind stay. Where somebody else changes it at the same time, one of both is told.',
      builder: (yargs: Argv) => given(name(yargs)).option('quarantine', QUARANTINE),
      load: async () => (await import('../intake/sources.ts')).setSource,
    }),
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List sources, and how they are',
      examples: [['intake source list', '']],
      load: async () => (await import('../intake/sources.ts')).listSources,
    }),
    verb({
      command: 'test <name>',
      describe: 'Look whether a source is set up well',
      examples: [['intake source test work', '']],
      builder: name,
      load: async () => (await import('../intake/sources.ts')).testSource,
    }),
    verb({
      command: 'pause <name>',
      describe: 'Let what comes wait',
      examples: [['intake source pause work', '']],
      builder: name,
      load: async () => (await import('../intake/sources.ts')).pauseSource,
    }),
    verb({
      command: 'resume <name>',
      describe: 'Go on with what came meanwhile',
      examples: [['intake source resume work', '']],
      builder: name,
      load: async () => (await import('../intake/sources.ts')).resumeSource,
    }),
    verb({
      command: 'remove <name>',
      describe: 'Remove a source with its secret; the log stays',
      examples: [['intake source remove work', '']],
      builder: name,
      load: async () => (await import('../intake/sources.ts')).removeSource,
    }),
  ],
};

export const intakeNoun: Noun = {
  noun: 'intake',
  describe: 'Work that comes in by itself: from forges, alarms, tickets, schedules',
  verbs: [
    sourceNoun,
    verb({
      command: 'log',
      describe: 'What came, what became of it, and why',
      examples: [
        ['intake log --source work', ''],
        ['intake log --verdict quarantined', 'what a person is to decide about'],
      ],
      builder: (yargs: Argv) =>
        yargs
          .option('source', { type: 'string', requiresArg: true, describe: 'Of one source' })
          .option('state', { choices: DELIVERY_STATES, describe: 'Of deliveries in this state' })
          .option('verdict', { choices: VERDICTS, describe: 'With something that this became of' })
          .option('limit', { type: 'number', default: 50, requiresArg: true, describe: 'How many' })
          .option('before', { type: 'number', requiresArg: true, describe: 'Before this delivery' }),
      load: async () => (await import('../intake/log.ts')).showLog,
    }),
    verb({
      command: 'show <delivery>',
      describe: 'Show a delivery',
      examples: [['intake show 17', '']],
      builder: delivery,
      load: async () => (await import('../intake/log.ts')).showDelivery,
    }),
    verb({
      command: 'replay <delivery>',
      describe: 'Have a delivery worked on again; what it led to stays',
      examples: [['intake replay 17', '']],
      builder: delivery,
      load: async () => (await import('../intake/log.ts')).replayDelivery,
    }),
    verb({
      command: 'approve <item>',
      describe: 'Take up what was quarantined',
      examples: [['intake approve 23', '']],
      builder: item,
      load: async () => (await import('../intake/log.ts')).approveItem,
    }),
    verb({
      command: 'reject <item>',
      describe: 'Refuse for good what was quarantined',
      examples: [['intake reject 23', '']],
      builder: item,
      load: async () => (await import('../intake/log.ts')).rejectItem,
    }),
  ],
};
