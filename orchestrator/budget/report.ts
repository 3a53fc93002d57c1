// The report of a period: what was used by whom, beside the period before, with a forecast and what a merged change cost.
// Used by the API and by scheduled reports.
import type { UsageGrouping, UsageReport } from '../../protocol/budget.ts';
import type { Queryable } from '../db/connect.ts';
import type { Books } from './charge.ts';
import { usageBy, usageSum, type UsageQuery } from './usage.ts';

const DAY_MS = 86_400_000;

export interface ReportQuery {
  /** First and last day; the month so far when left out. */
  from?: string | undefined;
  to?: string | undefined;
  by: UsageGrouping;
  project?: string | undefined;
}

/** Makes the report. Days are those of the configured time zone. */
export async function makeReport(
  db: Queryable,
  { by, project, ...period }: ReportQuery,
  { timeZone, currency }: Books,
): Promise<UsageReport> {
  const { rows } = await db.query<{ now: Date; today: string }>(
    `select now() as now, to_char((now() at time zone $1)::date, 'YYYY-MM-DD') as today`,
    [timeZone],
  );
  const { now, today } = rows[0]!;
  const to = period.to ?? today;
  const from = period.from ?? `${to.slice(0, 8)}01`;
  const query: UsageQuery = { from, to, project };
  const days = await usageBy(db, 'day', query);
  const total = await usageSum(db, query);
  const before = { from: plusDays(from, -length(from, to)), to: plusDays(from, -1) };
  return {
    from,
    to,
    by,
    project: project ?? null,
    currency,
    timeZone,
    madeAt: now.toISOString(),
    rows: by === 'day' ? days : await usageBy(db, by, query),
    days: eachDay(from, to).map((day) => ({ day, money: days.find(({ key }) => key === day)?.money ?? 0 })),
    total,
    previous: { ...before, total: await usageSum(db, { ...before, project }) },
    forecast: forecastOf(total.money, { from, to: period.to ?? endOfMonth(to), today }),
    merged: await mergedChanges(db, query, timeZone),
  };
}

/** Money at the end of the period, if its days to come are like those that are over and today. */
export function forecastOf(
  money: number,
  { from, to, today }: { from: string; to: string; today: string },
): number | null {
  if (today < from || today >= to) return null;
  return Math.round((money / length(from, today)) * length(from, to));
}

// What a task cost counts whole, whenever it was spent.
async function mergedChanges(
  db: Queryable,
  { from, to, project }: UsageQuery,
  timeZone: string,
): Promise<UsageReport['merged']> {
  const { rows } = await db.query<{ changes: number; money: number }>(
    `with merged as (
        select change.task from change join task on task.id = change.task join project on project.id = task.project
        where change.state = 'merged' and (change.closed_at at time zone $4)::date between $1 and $2 and ($3::text is null or project.name = $3))
      select (select count(*) from merged)::bigint as changes,
        (select coalesce(sum(money), 0)::bigint from usage_day where task in (select task from merged)) as money`,
    [from, to, project ?? null, timeZone],
  );
  const { changes, money } = rows[0]!;
  return { changes, money: changes === 0 ? null : Math.round(money / changes) };
}

function eachDay(from: string, to: string): string[] {
  return Array.from({ length: Math.max(0, length(from, to)) }, (_, index) => plusDays(from, index));
}

/** Days from the first to the last, both counted. */
function length(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
}

function plusDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

function endOfMonth(day: string): string {
  const [year, month] = day.split('-').map(Number);
  return new Date(Date.UTC(year!, month!, 0)).toISOString().slice(0, 10);
}
