// `autocode egress audit …` and `egress kibana …`: definitions. The handlers are in ../egress-audit.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

export const egressAuditNouns: Noun[] = [
  {
    noun: 'audit',
    describe: 'The Elasticsearch that records of traffic go to',
    verbs: [
      verb({
        command: 'setup',
        describe: 'Put lifecycle policy, index template and alias there',
        examples: [['egress audit setup --dry-run', 'what would be done']],
        epilogue:
          'May be done again. The daemon does it before the first record, and leaves a template alone that somebody has changed since.',
        builder: (yargs: Argv) =>
          yargs.option('dry-run', { type: 'boolean', default: false, describe: 'Change nothing' }),
        load: async () => (await import('../egress-audit.ts')).setUpAudit,
      }),
    ],
  },
  {
    noun: 'kibana',
    describe: 'The dashboard of what leaves the building',
    verbs: [
      verb({
        command: 'import',
        describe: 'Import data view, searches and dashboard',
        examples: [
          [
            'egress kibana import --kibana https://kibana.corp.example:5601',
            'what is there of them is replaced',
          ],
        ],
        builder: (yargs: Argv) =>
          yargs.option('kibana', {
            type: 'string',
            requiresArg: true,
            describe: 'Address of Kibana; egress.audit.kibanaUrl when left out',
          }),
        load: async () => (await import('../egress-audit.ts')).importKibana,
      }),
    ],
  },
];
