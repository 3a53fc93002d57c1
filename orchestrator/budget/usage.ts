// What was used, by whatever is asked for, from the sums of days. Used by reports, the API and benchmarks.
import type { Queryable } from '../db/connect.ts';

export const GROUPINGS = ['project', 'task', 'agent', 'model', 'worker', 'person', 'day'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface UsageQuery {
  /** First and last day, as 2026-01-31, in the configured time zone. */
  from: string;
  to: string;
  by: Grouping;
  project?: string;
}

/** Sums of one key. Money in millionths of the ledger currency, GPU time in milliseconds. */
export interface UsageRow {
  key: string;
  calls: number;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
  reasoningTokens: number;
  money: number;
  /** Of the money, what the platform caused: retries of its own, and slabs of gateways that were killed. */
  platformMoney: number;
  gpu: number;
}

/** Usage from day to day, summed up by one key; by day in order, else the dearest first. */
export async function usageReport(db: Queryable, { from, to, by, project }: UsageQuery): Promise<UsageRow[]> {
  const key = by === 'day' ? `to_char(day, 'YYYY-MM-DD')` : by === 'task' ? 'task::text' : by;
  const sum = (column: string) => `sum(${column})::bigint`;
  const { rows } = await db.query<UsageRow>(
    `select ${key} as key, ${sum('calls')} as calls, ${sum('input_tokens')} as "inputTokens", ${sum('cached_tokens')} as "cachedTokens",
       ${sum('output_tokens')} as "outputTokens", ${sum('reasoning_tokens')} as "reasoningTokens", ${sum('money')} as money,
       coalesce(sum(money) filter (where cause <> 'agent'), 0)::bigint as "platformMoney", ${sum('gpu')} as gpu
     from usage_day where day between $1 and $2 and ($3::text is null or project = $3)
     group by 1 order by ${by === 'day' ? '1' : 'money desc, 1'}`,
    [from, to, project ?? null],
  );
  return rows;
}
