// `autocode incident …`: definitions. Handlers are in ../incident/.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { INCIDENT_STATES } from './choices.ts';

const incident = (yargs: Argv) =>
  yargs.positional('incident', {
    type: 'number',
    demandOption: true,
    describe: 'Its number in `incident list`',
  });
const withReason = (yargs: Argv) =>
  incident(yargs).option('reason', { type: 'string', requiresArg: true, describe: 'Why' });
const watch = { alias: 'w', type: 'boolean', default: false, describe: 'Redraw every 2 s' } as const;

export const incidentNoun: Noun = {
  noun: 'incident',
  describe: 'Alarms that belong together, and what was found',
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List incidents',
      examples: [
        ['incident list --state open', ''],
        ['incident list --account 123456789012', ''],
      ],
      builder: (yargs: Argv) =>
        yargs
          .option('state', { choices: INCIDENT_STATES, describe: 'In this state' })
          .option('account', { type: 'string', requiresArg: true, describe: 'With alarms of this account' })
          .option('limit', { type: 'number', default: 50, requiresArg: true, describe: 'At most' })
          .option('before', { type: 'number', requiresArg: true, describe: 'Older than this one' })
          .option('watch', watch),
      load: async () => (await import('../incident/incidents.ts')).listIncidents,
    }),
    verb({
      command: 'show <incident>',
      describe: 'Show an incident with its alarms and reports',
      examples: [['incident show 7', '']],
      builder: (yargs: Argv) => incident(yargs).option('watch', watch),
      load: async () => (await import('../incident/incidents.ts')).showIncident,
    }),
    verb({
      command: 'resolve <incident>',
      describe: 'Resolve an incident, whatever its alarms say',
      examples: [['incident resolve 7 --reason "planned maintenance"', '']],
      builder: withReason,
      load: async () => (await import('../incident/incidents.ts')).resolveIncident,
    }),
    verb({
      command: 'reopen <incident>',
      describe: 'Have an incident investigated again',
      examples: [['incident reopen 7 --reason "it is back"', '']],
      builder: withReason,
      load: async () => (await import('../incident/incidents.ts')).reopenIncident,
    }),
    verb({
      command: 'merge <incidents..>',
      describe: 'Make incidents part of another, the last one named',
      examples: [['incident merge 8 9 7 --reason "the same disk"', '8 and 9 become part of 7']],
      epilogue: 'What becomes of their investigations: docs/incidents.md.',
      builder: (yargs: Argv) =>
        yargs
          .positional('incidents', {
            type: 'number',
            array: true,
            demandOption: true,
            describe: 'Their numbers in `incident list`, the one that remains as the last',
          })
          .option('reason', { type: 'string', requiresArg: true, describe: 'Why' }),
      load: async () => (await import('../incident/incidents.ts')).mergeIncidents,
    }),
  ],
};
