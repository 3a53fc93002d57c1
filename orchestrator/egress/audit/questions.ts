// The questions of ../traffic/search.ts, answered by Elasticsearch, in the same words. Pages go by the order of the spool, which no two
// records share and none ever changes: what comes in meanwhile moves no page. Used by the API.
import type { estypes } from '@elastic/elasticsearch';
import { AutocodeError } from '../../../protocol/errors.ts';
import {
  TrafficRecord,
  type TRAFFIC_GROUPS,
  type TrafficPage,
  type TrafficReport,
} from '../../../protocol/traffic.ts';
import type { TrafficQuery } from '../traffic/query.ts';
import { sortGroups } from '../traffic/search.ts';
import type { Search } from './client.ts';
import { ALIAS } from './document.ts';

type Group = (typeof TRAFFIC_GROUPS)[number];
type Filter = Record<string, object>;

const GROUPS_AT_ONCE = 10_000;
const LAST_FIRST = [{ position: 'desc' as const }];

/** The last `limit` requests that fit, or the last that ended before the one of that id. */
export async function searchIndexed(
  search: Search,
  query: TrafficQuery & { limit: number; before?: string | undefined },
): Promise<TrafficPage> {
  const { limit, before } = query;
  const after = before === undefined ? undefined : await positionOfRecord(search, before);
  const { hits } = await ask<object>(search, {
    size: limit,
    query: filterOf(query),
    sort: LAST_FIRST,
    ...(after !== undefined && { search_after: [after] }),
  });
  return { records: hits.hits.map(({ _source }) => TrafficRecord.parse(_source)), complete: true };
}

/** Sums of all that fit, by one of their fields; who sent most comes first. */
export async function reportIndexed(search: Search, query: TrafficQuery, by: Group): Promise<TrafficReport> {
  const groups: TrafficReport['groups'] = [];
  for (let after: Record<string, string | null> | undefined; ;) {
    const { aggregations } = await ask(search, {
      size: 0,
      query: filterOf(query),
      aggs: {
        groups: {
          composite: {
            size: GROUPS_AT_ONCE,
            sources: [{ name: { terms: { field: by, missing_bucket: true } } }],
            ...(after && { after }),
          },
          aggs: {
            allowed: { filter: { term: { decision: 'allowed' } } },
            bytesOut: { sum: { field: 'bytesOut' } },
            bytesIn: { sum: { field: 'bytesIn' } },
          },
        },
      },
    });
    const page = aggregations?.groups as Groups | undefined;
    for (const { key, doc_count: requests, allowed, bytesOut, bytesIn } of page?.buckets ?? [])
      groups.push({
        name: key.name,
        requests,
        denied: requests - allowed.doc_count,
        bytesOut: bytesOut.value,
        bytesIn: bytesIn.value,
      });
    after = page?.after_key;
    if (after === undefined) return { by, groups: sortGroups(groups), complete: true };
  }
}

interface Groups {
  after_key?: { name: string | null };
  buckets: {
    key: { name: string | null };
    doc_count: number;
    allowed: { doc_count: number };
    bytesOut: { value: number };
    bytesIn: { value: number };
  }[];
}

async function positionOfRecord(search: Search, id: string): Promise<number> {
  const { hits } = await ask<{ position: number }>(search, {
    size: 1,
    query: { ids: { values: [id] } },
    _source: ['position'],
  });
  const position = hits.hits[0]?._source?.position;
  if (position !== undefined) return position;
  throw new AutocodeError('ERR_NOT_FOUND', `There is no record ${id} any more to go on after.`, {
    remedy: 'Ask again from the beginning.',
  });
}

/** A question to all records. */
export async function ask<T>(search: Search, body: object): Promise<estypes.SearchResponse<T>> {
  const request = { index: ALIAS, ignore_unavailable: true, track_total_hits: false, ...body };
  try {
    return await search.ask(
      async (client, options) => await client.search<T>(request as estypes.SearchRequest, options),
    );
  } catch (error) {
    if (!(error instanceof AutocodeError)) throw error;
    const remedy = `${error.remedy ?? ''} Meanwhile look in the spool: \`--source spool\`.`.trimStart();
    throw new AutocodeError(error.code, error.message, { remedy, cause: error });
  }
}

/** The filter of a question. */
export function filterOf(query: TrafficQuery): Filter {
  const { host, text, since, until, bytes } = query;
  const filter: Filter[] = (['run', 'project', 'worker', 'decision'] as const).flatMap((field) =>
    query[field] === undefined ? [] : [{ term: { [field]: query[field] } }],
  );
  if (host !== undefined) filter.push(hostFilter(host.toLowerCase()));
  if (text !== undefined) filter.push({ wildcard: { url: { value: `*${literal(text)}*` } } });
  if (since !== undefined) filter.push({ range: { at: { gte: since } } });
  if (until !== undefined) filter.push({ range: { at: { lt: until } } });
  if (bytes !== undefined) filter.push({ range: { bytes: { gte: bytes } } });
  return { bool: { filter } };
}

function hostFilter(host: string): Filter {
  if (!host.startsWith('*.')) return { term: { host } };
  return { wildcard: { host: { value: `*${literal(host.slice(1))}` } } };
}

/** A text for a wildcard query that stands for nothing but itself. */
function literal(text: string): string {
  return text.replaceAll(/[\\*?]/g, String.raw`\$&`);
}
