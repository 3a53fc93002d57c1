// The report of a period: what was used by whom, beside the period before, with a forecast and what a merged change cost.
// Used by the API and by scheduled reports.
import type { UsageGrouping, UsageReport, UsageRow } from '../../protocol/budget.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Queryable } from '../db/connect.ts';
import type { Books } from './charge.ts';
import { idleGpus, type GpuEngine } from './idle.ts';
import { moneyByDay, usageBy, usageSum, type UsageQuery } from './usage.ts';

const DAY_MS = 86_400_000;
const LONGEST_DAYS = 3_700;
/** Longer periods tell merged changes by week. */
const MOST_BY_DAY = 31;
const DEAREST = 7;

export interface ReportQuery {
  /** First and last day; the month so far when left out. */
  from?: string | undefined;
  to?: string | undefined;
  by: UsageGrouping;
  project?: string | undefined;
}

/** `gpus`: the engines whose idle time is told. */
export type ReportBooks = Books & { gpus: GpuEngine[] };

/** Makes the report. Days are those of the configured time zone. */
export async function makeReport(
  db: Queryable,
  { by, project, ...period }: ReportQuery,
  { timeZone, currency, gpus }: ReportBooks,
): Promise<UsageReport> {
  const { rows: clock } = await db.query<{ now: Date; today: string }>(
    `select now() as now, to_char((now() at time zone $1)::date, 'YYYY-MM-DD') as today`,
    [timeZone],
  );
  const { now, today } = clock[0]!;
  const to = period.to ?? today;
  const from = period.from ?? `${to.slice(0, 8)}01`;
  checkPeriod(from, to);
  const query: UsageQuery = { from, to, project };
  const days = await usageBy(db, 'day', query);
  const total = await usageSum(db, query);
  const rows = by === 'day' ? days : await usageBy(db, by, query);
  const eachOf = eachDay(from, to);
  const before = { from: plusDays(from, -length(from, to)), to: plusDays(from, -1) };
  return {
    from,
    to,
    by,
    project: project ?? null,
    currency,
    timeZone,
    madeAt: now.toISOString(),
    rows,
    days: eachOf.map((day) => ({ day, money: days.find(({ key }) => key === day)?.money ?? 0 })),
    dearest: by === 'day' ? [] : await dearestByDay(db, by, query, rows, eachOf),
    total,
    previous: { ...before, total: await usageSum(db, { ...before, project }) },
    forecast: forecastOf(total.money, { from, to: period.to ?? endOfMonth(to), today }),
    merged: await mergedChanges(db, query, timeZone),
    idle: project === undefined ? await idleGpus(db, gpus, { from, to, timeZone }) : [],
  };
}

async function dearestByDay(
  db: Queryable,
  by: Exclude<UsageGrouping, 'day'>,
  query: UsageQuery,
  rows: UsageRow[],
  days: string[],
): Promise<UsageReport['dearest']> {
  const keys = rows.slice(0, DEAREST).map(({ key }) => key);
  const spent = await moneyByDay(db, by, query, keys);
  return keys.map((key) => ({ key, money: days.map((day) => spent.get(`${day} ${key}`) ?? 0) }));
}

/** Money at the end of the period, if its days to come are like those that are over and today. */
export function forecastOf(
  money: number,
  { from, to, today }: { from: string; to: string; today: string },
): number | null {
  if (today < from || today >= to) return null;
  return Math.round((money / length(from, today)) * length(from, to));
}

// What a task cost counts whole, whenever it was spent, in equal parts for each of its merged changes: periods add up.
async function mergedChanges(
  db: Queryable,
  { from, to, project }: UsageQuery,
  timeZone: string,
): Promise<UsageReport['merged']> {
  const { rows } = await db.query<{ from: string; changes: number; cost: number }>(
    `with merged as (
        select change.task, date_trunc($5, change.closed_at at time zone $4)::date as day, count(*) as here
        from change join task on task.id = change.task join project on project.id = task.project
        where change.state = 'merged' and (change.closed_at at time zone $4)::date between $1 and $2
          and ($3::text is null or project.name = $3) group by 1, 2),
      ever as (select task, count(*) as ever from change where state = 'merged' and task in (select task from merged) group by task),
      cost as (select task, sum(money) as money from usage_day where task in (select task from merged) group by task)
      select to_char(day, 'YYYY-MM-DD') as from, sum(here)::bigint as changes, coalesce(sum(money * here / ever), 0)::float8 as cost
      from merged join ever using (task) left join cost using (task) group by day order by day`,
    [from, to, project ?? null, timeZone, length(from, to) <= MOST_BY_DAY ? 'day' : 'week'],
  );
  const changes = rows.reduce((sum, each) => sum + each.changes, 0);
  const cost = rows.reduce((sum, each) => sum + each.cost, 0);
  return {
    changes,
    money: changes === 0 ? null : Math.round(cost / changes),
    over: rows.map((each) => ({
      from: each.from,
      changes: each.changes,
      money: Math.round(each.cost / each.changes),
    })),
  };
}

function checkPeriod(from: string, to: string): void {
  const days = length(from, to);
  if (days >= 1 && days <= LONGEST_DAYS) return;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    days < 1 ? `${to} is before ${from}.` : `From ${from} to ${to} is more than ${LONGEST_DAYS} days.`,
    { remedy: 'Name the first and the last day of the period; the last one is today when left out.' },
  );
}

function eachDay(from: string, to: string): string[] {
  return Array.from({ length: length(from, to) }, (_, index) => plusDays(from, index));
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
