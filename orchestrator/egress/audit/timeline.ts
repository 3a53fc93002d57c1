// Traffic over time (../traffic/timeline.ts), answered by Elasticsearch in the same words. Used by the API.
import { TRAFFIC_SUMS, type TrafficTimeline } from '../../../protocol/traffic.ts';
import {
  frameOf,
  noSums,
  periodOf,
  timeline,
  type Frame,
  type Sums,
  type TimelineQuery,
} from '../traffic/timeline.ts';
import type { Search } from './client.ts';
import { ask, filterOf } from './questions.ts';

/** Stands for records without the field; no name is empty. */
const NONE = '';
const SHARD_GROUPS = 1_000;

/** The answer: what the groups with the most have, and what all have besides. */
export async function timelineIndexed(search: Search, query: TimelineQuery): Promise<TrafficTimeline> {
  const frame = frameOf(query);
  const overTime = {
    date_histogram: { field: 'at', fixed_interval: `${frame.length}ms`, min_doc_count: 1 },
    aggs: sums,
  };
  const { of } = query;
  const { aggregations } = await ask(search, {
    size: 0,
    query: filterOf(periodOf(query, frame)),
    aggs: {
      all: overTime,
      groups: {
        terms: {
          field: query.by,
          missing: NONE,
          size: query.top,
          shard_size: SHARD_GROUPS,
          order: { [of === 'requests' ? '_count' : of]: 'desc' },
        },
        aggs: { ...sums, times: overTime },
      },
    },
  });
  const { all, groups } = (aggregations ?? {}) as Partial<Answer>; // nothing where there is no index yet
  const named = new Map<string | null, Sums>();
  const rest = sumsOf(all, frame);
  for (const { key, times } of groups?.buckets ?? []) {
    const own = sumsOf(times, frame);
    named.set(key === NONE ? null : key, own);
    for (const sum of TRAFFIC_SUMS) own[sum].forEach((value, at) => (rest[sum][at]! -= value));
  }
  return timeline(frame, query, named, rest, true);
}

const sums = {
  denied: { filter: { bool: { must_not: { term: { decision: 'allowed' } } } } },
  bytesOut: { sum: { field: 'bytesOut' } },
  bytesIn: { sum: { field: 'bytesIn' } },
};

interface Times {
  buckets: {
    key: number;
    doc_count: number;
    denied: { doc_count: number };
    bytesOut: { value: number };
    bytesIn: { value: number };
  }[];
}

interface Answer {
  all: Times;
  groups: { buckets: { key: string; times: Times }[] };
}

function sumsOf(times: Times | undefined, { since, length, count }: Frame): Sums {
  const sums = noSums(count);
  for (const { key, doc_count: requests, denied, bytesOut, bytesIn } of times?.buckets ?? []) {
    const at = Math.round((key - since) / length);
    if (at < 0 || at >= count) continue;
    sums.requests[at] = requests;
    sums.denied[at] = denied.doc_count;
    sums.bytesOut[at] = bytesOut.value;
    sums.bytesIn[at] = bytesIn.value;
  }
  return sums;
}
