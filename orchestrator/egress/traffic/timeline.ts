// Traffic over time: sums a minute, hour or day of the hosts (projects, …) that have the most, and of all others together. From the
// spool; ../audit/timeline.ts asks Elasticsearch the same. Used by the API.
import { AutocodeError } from '../../../protocol/errors.ts';
import { TRAFFIC_SUMS, type TRAFFIC_BUCKETS, type TrafficTimeline } from '../../../protocol/traffic.ts';
import { glancesOf, type Glance } from './glance.ts';
import type { TrafficQuery } from './query.ts';
import type { Group } from './search.ts';

export type Sum = (typeof TRAFFIC_SUMS)[number];
export type Bucket = (typeof TRAFFIC_BUCKETS)[number];

export interface TimelineQuery extends TrafficQuery {
  by: Group;
  /** Chosen by the length of time when left out. */
  bucket?: Bucket | undefined;
  /** How many are told apart, and those with the most of what. */
  top: number;
  of: Sum;
}

/** The buckets of a question: `count` of them from `since` on, in milliseconds. */
export interface Frame {
  bucket: Bucket;
  since: number;
  length: number;
  count: number;
}

export const BUCKET_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const DAY_MS = BUCKET_MS.day;
const MOST_BUCKETS = 1_500;
/** Names beyond these are summed with all others: nobody fills the memory with hosts that he makes up. */
const MOST_NAMES = 1_000;

/** The buckets for a time: the last day where none is named. ERR_INVALID_INPUT where there would be too many. */
export function frameOf({ since, until, bucket }: TimelineQuery, now = Date.now()): Frame {
  const to = until === undefined ? now : Date.parse(until);
  const from = since === undefined ? to - DAY_MS : Date.parse(since);
  if (from >= to)
    throw new AutocodeError('ERR_INVALID_INPUT', 'The time begins after its end.', {
      remedy: 'Give a `since` that is before `until`.',
    });
  const span = to - from;
  const chosen = bucket ?? (span <= DAY_MS / 8 ? 'minute' : span <= 8 * DAY_MS ? 'hour' : 'day');
  const length = BUCKET_MS[chosen];
  const first = Math.floor(from / length) * length;
  const count = Math.ceil((to - first) / length);
  if (count > MOST_BUCKETS)
    throw new AutocodeError('ERR_INVALID_INPUT', `That would be ${count} values by ${chosen}.`, {
      remedy: `Ask for at most ${MOST_BUCKETS}: a shorter time, or longer buckets.`,
    });
  return { bucket: chosen, since: first, length, count };
}

/** The answer from the spool. */
export async function timelineOf(spool: string, query: TimelineQuery): Promise<TrafficTimeline> {
  const frame = frameOf(query);
  const progress = { complete: true };
  const period = periodOf(query, frame);
  const named = new Map<string | null, Sums>();
  const rest = noSums(frame.count);
  for await (const records of glancesOf(spool, period, query.by, progress)) {
    for (const record of records) {
      const at = Math.floor((Date.parse(record.at) - frame.since) / frame.length);
      if (at >= 0 && at < frame.count) count(sumsOf(named, rest, record[query.by], frame), at, record);
    }
  }
  return timeline(frame, query, named, rest, progress.complete);
}

/** What is asked for, from the beginning of the first bucket on; the last one may be cut off. */
export function periodOf(query: TimelineQuery, { since }: Frame): TrafficQuery {
  const { by: _, bucket: __, top: ___, of: ____, ...filter } = query;
  return { ...filter, since: new Date(since).toISOString() };
}

export type Sums = Record<Sum, Float64Array>;

export function noSums(count: number): Sums {
  const values = () => new Float64Array(count);
  return { requests: values(), denied: values(), bytesOut: values(), bytesIn: values() };
}

function sumsOf(named: Map<string | null, Sums>, rest: Sums, name: string | null, { count }: Frame): Sums {
  const found = named.get(name);
  if (found !== undefined) return found;
  if (named.size >= MOST_NAMES) return rest;
  const made = noSums(count);
  named.set(name, made);
  return made;
}

function count(sums: Sums, at: number, { decision, bytesOut, bytesIn }: Glance): void {
  sums.requests[at]! += 1;
  if (decision !== 'allowed') sums.denied[at]! += 1;
  sums.bytesOut[at]! += bytesOut ?? 0;
  sums.bytesIn[at]! += bytesIn ?? 0;
}

/** The answer of sums by name: those with the most, and the rest of them together. */
export function timeline(
  { bucket, since, length, count: buckets }: Frame,
  { by, of, top }: TimelineQuery,
  named: Map<string | null, Sums>,
  rest: Sums,
  complete: boolean,
): TrafficTimeline {
  const all = [...named].map(([name, sums]) => ({ name, sums, most: total(sums[of]) }));
  const sorted = all.toSorted((a, b) => b.most - a.most || ((a.name ?? '') < (b.name ?? '') ? -1 : 1));
  const others = sorted.splice(top);
  for (const { sums } of others)
    for (const sum of TRAFFIC_SUMS) sums[sum].forEach((value, at) => (rest[sum][at]! += value));
  return {
    by,
    since: new Date(since).toISOString(),
    until: new Date(since + buckets * length).toISOString(),
    bucket,
    times: Array.from({ length: buckets }, (_, at) => new Date(since + at * length).toISOString()),
    groups: sorted.map(({ name, sums }) => ({ name, ...plain(sums) })),
    rest: total(rest.requests) > 0 ? plain(rest) : null,
    complete,
  };
}

function plain(sums: Sums): Record<Sum, number[]> {
  const { requests, denied, bytesOut, bytesIn } = sums;
  return { requests: [...requests], denied: [...denied], bytesOut: [...bytesOut], bytesIn: [...bytesIn] };
}

function total(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
