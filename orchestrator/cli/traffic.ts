// `autocode traffic tail|search|report|export`.
import { setTimeout as delay } from 'node:timers/promises';
import {
  TrafficPage,
  TrafficReport,
  TrafficTimeline,
  type TRAFFIC_BUCKETS,
  type TRAFFIC_GROUPS,
  type TRAFFIC_SUMS,
  type TrafficDecision,
  type TrafficRecord,
  type TrafficSource,
} from '../../protocol/traffic.ts';
import { connect, type Client } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { timeOf } from './egress.ts';
import { bytes, oneLine, printable, timestamp } from './format.ts';
import { paint, print, printJson, printJsonLine, table } from './output.ts';

export interface TrafficArgs extends GlobalArgs {
  run: string | undefined;
  project: string | undefined;
  worker: string | undefined;
  host: string | undefined;
  decision: TrafficDecision | undefined;
  text: string | undefined;
  since: string | undefined;
  until: string | undefined;
  bytes: number | undefined;
  source: TrafficSource | undefined;
}

const TAIL_EVERY_MS = 1_000;
const TAIL_BACK_MS = 3_600_000;
const TAIL_AT_ONCE = 500;
const PAGE = 1_000;
const MORE = 'There is more than is read for one question: ask for less time with --since.';
/** Those of an export, in their order. */
const COLUMNS = [
  'at',
  'run',
  'project',
  'worker',
  'method',
  'url',
  'host',
  'port',
  'address',
  'decision',
  'rule',
  'reason',
  'status',
  'bytesOut',
  'bytesIn',
  'durationMs',
  'error',
] as const;

/** Prints the last requests that fit. */
export async function searchTraffic(args: TrafficArgs & { limit: number }): Promise<void> {
  const page = await ask(connect(args), args, args.limit);
  if (args.json) return printJson(page);
  print(page.records.length === 0 ? 'Nothing that fits was asked for outside.' : drawRecords(page.records));
  if (!page.complete) print(MORE);
}

/** Prints requests as they end, until it is interrupted. */
export async function tailTraffic(args: TrafficArgs): Promise<void> {
  const client = connect(args);
  const since = new Date(Date.now() - TAIL_BACK_MS).toISOString();
  let told: Set<string> | null = null; // those that had ended before are not told
  for (;;) {
    const page = await ask(client, { ...args, since }, TAIL_AT_ONCE);
    const ended = page.records.filter(({ event }) => event === 'close').toReversed();
    for (const record of ended) {
      if (told === null || told.has(record.id)) continue;
      if (args.json) printJsonLine(record);
      else print(lineOf(record));
    }
    told = new Set(ended.map(({ id }) => id));
    await delay(TAIL_EVERY_MS);
  }
}

interface ReportArgs extends TrafficArgs {
  by: (typeof TRAFFIC_GROUPS)[number];
  overTime: boolean;
  bucket: (typeof TRAFFIC_BUCKETS)[number] | undefined;
}

/** Prints sums, over time too. */
export async function reportTraffic(args: ReportArgs): Promise<void> {
  if (args.overTime) return await reportOverTime(args);
  const report = await connect(args).get('/traffic/report', TrafficReport, { ...queryOf(args), by: args.by });
  if (args.json) return printJson(report);
  if (report.groups.length === 0) return print('Nothing that fits was asked for outside.');
  print(
    table(report.groups, [
      { title: report.by.toUpperCase(), value: ({ name }) => name ?? '-' },
      { title: 'REQUESTS', value: ({ requests }) => String(requests), align: 'right' },
      { title: 'NOT ALLOWED', value: ({ denied }) => String(denied), align: 'right' },
      { title: 'SENT', value: ({ bytesOut }) => bytes(bytesOut), align: 'right' },
      { title: 'RECEIVED', value: ({ bytesIn }) => bytes(bytesIn), align: 'right' },
    ]),
  );
  if (!report.complete) print(MORE);
}

async function reportOverTime(args: ReportArgs): Promise<void> {
  const { by, bucket } = args;
  const timeline = await connect(args).get('/traffic/timeline', TrafficTimeline, {
    ...queryOf(args),
    by,
    bucket,
  });
  if (args.json) return printJson(timeline);
  const { times, groups, rest, complete } = timeline;
  const all = rest === null ? groups : [...groups, { name: 'others', ...rest }];
  const rows = times.flatMap((time, at) => {
    const sum = (of: (typeof TRAFFIC_SUMS)[number]) => all.reduce((total, each) => total + each[of][at]!, 0);
    const most = groups.toSorted((a, b) => b.requests[at]! - a.requests[at]!)[0];
    if (most === undefined || sum('requests') === 0) return [];
    const [denied, out, into] = [sum('denied'), sum('bytesOut'), sum('bytesIn')];
    return [{ time, requests: sum('requests'), denied, out, into, most: most.name, its: most.requests[at]! }];
  });
  if (rows.length === 0) return print('Nothing that fits was asked for outside.');
  print(
    table(rows, [
      { title: 'FROM', value: ({ time }) => timestamp(time) },
      { title: 'REQUESTS', value: ({ requests }) => String(requests), align: 'right' },
      { title: 'NOT ALLOWED', value: ({ denied }) => String(denied), align: 'right' },
      { title: 'SENT', value: ({ out }) => bytes(out), align: 'right' },
      { title: 'RECEIVED', value: ({ into }) => bytes(into), align: 'right' },
      { title: 'MOST', value: ({ most, its }) => printable(`${most ?? '-'} (${its})`) },
    ]),
  );
  if (!complete) print(MORE);
}

/** Writes all that fit to stdout, the last first: JSON lines, or CSV. */
export async function exportTraffic(args: TrafficArgs & { format: 'json' | 'csv' }): Promise<void> {
  const client = connect(args);
  if (args.format === 'csv') print(COLUMNS.join(','));
  for (let before: string | undefined; ;) {
    const { records } = await ask(client, args, PAGE, before);
    for (const record of records) {
      if (args.format === 'csv') print(COLUMNS.map((column) => cell(record[column])).join(','));
      else printJsonLine(record);
    }
    before = records.at(-1)?.id;
    if (records.length < PAGE) return;
  }
}

async function ask(client: Client, args: TrafficArgs, limit: number, before?: string): Promise<TrafficPage> {
  return await client.get('/traffic', TrafficPage, { ...queryOf(args), limit, before });
}

function queryOf(args: TrafficArgs) {
  const { run, project, worker, host, decision, text, since, until, bytes: least, source } = args;
  const now = Date.now();
  return {
    run,
    project,
    worker,
    host,
    decision,
    text,
    since: since === undefined ? undefined : timeOf(since, now),
    until: until === undefined ? undefined : timeOf(until, now),
    bytes: least,
    source,
  };
}

const STYLES = { allowed: undefined, denied: 'red', refused: 'yellow' } as const;

function drawRecords(records: TrafficRecord[]): string {
  return table(records, [
    { title: 'AT', value: ({ at }) => timestamp(at) },
    { title: 'RUN', value: ({ run }) => run ?? '-' },
    { title: 'PROJECT', value: ({ project }) => project ?? '-', spare: true },
    { title: 'DECISION', value: ({ decision }) => decision, style: ({ decision }) => STYLES[decision] },
    { title: 'STATUS', value: statusOf },
    { title: 'SENT', value: ({ bytesOut }) => bytes(bytesOut ?? 0), align: 'right' },
    { title: 'RECEIVED', value: ({ bytesIn }) => bytes(bytesIn ?? 0), align: 'right' },
    { title: 'REQUEST', value: ({ method, url }) => printable(`${method ?? ''} ${url ?? ''}`) },
  ]);
}

function lineOf(record: TrafficRecord): string {
  const { at, run, decision, method, url, host, error } = record;
  const what = oneLine(`${method ?? ''} ${url ?? host ?? ''}`);
  return `${paint('dim', timestamp(at))}  ${run ?? '-'}  ${paint(STYLES[decision], decision)}  ${statusOf(record)}  ${what}${error === null ? '' : `  ${oneLine(error)}`}`;
}

function statusOf({ event, status, error }: TrafficRecord): string {
  if (event === 'open') return 'open';
  return status === null || error !== null ? 'broken off' : String(status);
}

// As spreadsheets read it; what they would take for a formula is text.
function cell(value: string | number | null): string {
  const words = value === null ? '' : String(value);
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(words) ? `'${words}` : words;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
