// Questions about what went out, answered from the spool. Of a request there is one record: that of its end, or of its beginning where
// the end is not known. Used by the API, by refusals.ts and by the policy's proposals.
import {
  TrafficRecord,
  type TrafficPage,
  type TrafficReport,
  type TRAFFIC_GROUPS,
} from '../../../protocol/traffic.ts';
import { glancesOf } from './glance.ts';
import { fits, type TrafficQuery } from './query.ts';
import { linesOf } from './spool-files.ts';

/** Most that is read for one question. */
const MOST_BYTES = 512 * 1024 * 1024;

/** What sums are by. */
export type Group = (typeof TRAFFIC_GROUPS)[number];

/** The last `limit` requests that fit, or the last that ended before the one of that id. */
export async function searchTraffic(
  spool: string,
  query: TrafficQuery & { limit: number; before?: string | undefined },
): Promise<TrafficPage> {
  const records: TrafficRecord[] = [];
  const progress = { complete: true };
  let skip = query.before !== undefined;
  for await (const record of recordsOf(spool, query, progress)) {
    if (skip) {
      skip = record.id !== query.before;
      continue;
    }
    records.push(record);
    if (records.length >= query.limit) break;
  }
  return { records, complete: progress.complete };
}

/** Sums of all that fit, by one of their fields; who sent most comes first. */
export async function reportTraffic(spool: string, query: TrafficQuery, by: Group): Promise<TrafficReport> {
  const groups = new Map<string | null, TrafficReport['groups'][number]>();
  const progress = { complete: true };
  for await (const records of glancesOf(spool, query, by, progress)) {
    for (const { [by]: name, decision, bytesOut, bytesIn } of records) {
      const group = groups.get(name) ?? { name, requests: 0, denied: 0, bytesOut: 0, bytesIn: 0 };
      group.requests += 1;
      if (decision !== 'allowed') group.denied += 1;
      group.bytesOut += bytesOut ?? 0;
      group.bytesIn += bytesIn ?? 0;
      groups.set(name, group);
    }
  }
  return { by, groups: sortGroups([...groups.values()]), complete: progress.complete };
}

/** Who sent most comes first. */
export function sortGroups(groups: TrafficReport['groups']): TrafficReport['groups'] {
  return groups.toSorted(
    (a, b) =>
      b.bytesOut - a.bytesOut || b.requests - a.requests || ((a.name ?? '') < (b.name ?? '') ? -1 : 1),
  );
}

async function* recordsOf(
  spool: string,
  query: TrafficQuery,
  progress: { complete: boolean },
): AsyncGenerator<TrafficRecord> {
  const seen = new Set<string>();
  const quick = [query.run, query.project, query.worker]
    .filter((each) => each !== undefined)
    .map((each) => JSON.stringify(each));
  for await (const { line, read } of linesOf(spool, query.since)) {
    if (read > MOST_BYTES) {
      progress.complete = false;
      return;
    }
    if (!quick.every((each) => line.includes(each))) continue;
    const record = recordIn(line);
    if (record === null || seen.has(record.id)) continue;
    seen.add(record.id);
    if (fits(record, query)) yield record;
  }
}

// A line that was cut off by a crash is none.
function recordIn(line: string): TrafficRecord | null {
  try {
    return TrafficRecord.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
