// `autocode traffic …`: definitions. The handlers are in ../traffic.ts.
import type { Argv } from 'yargs';
import type { TRAFFIC_BUCKETS } from '../../../protocol/traffic.ts';
import { verb, type Noun } from '../command.ts';
import { TRAFFIC_DECISIONS, TRAFFIC_GROUPS, TRAFFIC_SOURCES } from './choices.ts';

const BUCKETS = ['minute', 'hour', 'day'] as const satisfies typeof TRAFFIC_BUCKETS;
const TIME = '7d, 12h, or a time as 2026-01-31T08:00Z';
const filters = (yargs: Argv) =>
  yargs
    .option('run', { type: 'string', requiresArg: true, describe: 'Of this run only, as 12-1' })
    .option('project', { alias: 'p', type: 'string', requiresArg: true, describe: 'Of this project only' })
    .option('worker', { type: 'string', requiresArg: true, describe: 'Of runs on this worker only' })
    .option('host', {
      type: 'string',
      requiresArg: true,
      describe: 'To this host only, or *.example.com for all below',
    })
    .option('decision', { choices: TRAFFIC_DECISIONS, requiresArg: true, describe: 'What became of them' })
    .option('text', { type: 'string', requiresArg: true, describe: 'With this in the address' })
    .option('since', { type: 'string', requiresArg: true, describe: `From then on: ${TIME}` })
    .option('until', { type: 'string', requiresArg: true, describe: `Before then: ${TIME}` })
    .option('bytes', { type: 'number', requiresArg: true, describe: 'With at least so many bytes' })
    .option('source', {
      choices: TRAFFIC_SOURCES,
      requiresArg: true,
      describe: 'Where to look; when left out in Elasticsearch, where it is configured, else in the spool',
    });

export const trafficNoun: Noun = {
  noun: 'traffic',
  describe: 'What runs asked for outside, by the records of the egress proxy',
  verbs: [
    verb({
      command: 'search',
      aliases: ['ls'],
      describe: 'Find requests, the last first',
      examples: [
        ['traffic search --run 12-1 --decision denied', 'what a run was not allowed'],
        ['traffic search --host "*.npmjs.org" --since 1h --json', 'with all that is known of each'],
      ],
      builder: (yargs: Argv) =>
        filters(yargs).option('limit', {
          type: 'number',
          default: 100,
          requiresArg: true,
          describe: 'How many at most',
        }),
      load: async () => (await import('../traffic.ts')).searchTraffic,
    }),
    verb({
      command: 'tail',
      describe: 'Show requests as they end',
      examples: [['traffic tail --project shop', 'until Ctrl-C']],
      builder: filters,
      load: async () => (await import('../traffic.ts')).tailTraffic,
    }),
    verb({
      command: 'report',
      describe: 'Sum requests and bytes up',
      examples: [
        ['traffic report --by host --since 7d', 'who got how much in seven days'],
        ['traffic report --over-time --since 1d', 'and when'],
      ],
      builder: (yargs: Argv) =>
        filters(yargs)
          .option('by', { choices: TRAFFIC_GROUPS, default: 'host' as const, describe: 'By what' })
          .option('over-time', {
            type: 'boolean',
            default: false,
            describe: 'Over time instead, the last day without --since',
          })
          .option('bucket', {
            choices: BUCKETS,
            requiresArg: true,
            implies: 'over-time',
            describe: 'What is summed up over time; days are those of UTC',
          }),
      load: async () => (await import('../traffic.ts')).reportTraffic,
    }),
    verb({
      command: 'export',
      describe: 'Write requests to stdout, all that fit',
      examples: [['traffic export --since 1d --format csv > traffic.csv', 'for a spreadsheet']],
      builder: (yargs: Argv) =>
        filters(yargs).option('format', {
          choices: ['json', 'csv'] as const,
          default: 'json' as const,
          describe: 'JSON, a line each, or CSV',
        }),
      load: async () => (await import('../traffic.ts')).exportTraffic,
    }),
  ],
};
