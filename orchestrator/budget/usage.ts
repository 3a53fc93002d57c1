// What was used, by whatever is asked for, from the sums of days. Used by reports and benchmarks.
import type { UsageGrouping, UsageRow, UsageSums } from '../../protocol/budget.ts';
import type { Queryable } from '../db/connect.ts';

export interface UsageQuery {
  /** First and last day, as 2026-01-31, in the configured time zone. */
  from: string;
  to: string;
  project?: string | undefined;
}

const sum = (column: string) => `coalesce(sum(${column}), 0)::bigint`;
const SUMS = `${sum('calls')} as calls, ${sum('input_tokens')} as "inputTokens", ${sum('cached_tokens')} as "cachedTokens",
  ${sum('output_tokens')} as "outputTokens", ${sum('reasoning_tokens')} as "reasoningTokens", ${sum('money')} as money,
  coalesce(sum(money) filter (where cause <> 'agent'), 0)::bigint as "platformMoney", ${sum('gpu')} as gpu`;
const FROM = `from usage_day where day between $1 and $2 and ($3::text is null or project = $3)`;

/** Usage summed up by one key; by day in order, else the dearest first. */
export async function usageBy(db: Queryable, by: UsageGrouping, query: UsageQuery): Promise<UsageRow[]> {
  const key = keyOf(by);
  const { rows } = await db.query<UsageRow>(
    `select ${key} as key, ${SUMS} ${FROM} group by 1 order by ${by === 'day' ? '1' : 'money desc, 1'}`,
    valuesOf(query),
  );
  return rows;
}

/** Money of some keys by day, as `2026-01-31 key`. */
export async function moneyByDay(
  db: Queryable,
  by: Exclude<UsageGrouping, 'day'>,
  query: UsageQuery,
  keys: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await db.query<{ day: string; money: number }>(
    `select to_char(day, 'YYYY-MM-DD') || ' ' || ${keyOf(by)} as day, ${sum('money')} as money ${FROM}
     and ${keyOf(by)} = any($4) group by 1`,
    [...valuesOf(query), keys],
  );
  return new Map(rows.map(({ day, money }) => [day, money]));
}

/** All of it in one sum. */
export async function usageSum(db: Queryable, query: UsageQuery): Promise<UsageSums> {
  const { rows } = await db.query<UsageSums>(`select ${SUMS} ${FROM}`, valuesOf(query));
  return rows[0]!;
}

const keyOf = (by: UsageGrouping) =>
  by === 'day' ? `to_char(day, 'YYYY-MM-DD')` : by === 'task' ? 'task::text' : by;
const valuesOf = ({ from, to, project }: UsageQuery) => [from, to, project ?? null];
