// What budgets come to at this pace: spent when their period ends, and when all is spent. The rule is in docs/money.md. Used by the API.
import type { Budget, BudgetForecast, ForecastBudget } from '../../protocol/budget.ts';
import type { Queryable } from '../db/connect.ts';
import { binds, listBudgets } from './budgets.ts';

const DAY_MS = 86_400_000;
/** Further ahead nothing is foretold. */
const LONGEST_DAYS = 366;

/** What a subject has spent, by which the rest is foretold. */
export interface Spending {
  /** In the period. */
  spent: number;
  /** In the last seven days and today so far, and how many days these are: fewer where it began later. */
  recent: number;
  days: number;
  /** Until the period ends; null for all time. */
  left: number | null;
}

/** The forecast; null where nothing was spent before today: a part of a day says nothing about others. */
export function forecastOf(
  { spent, recent, days, left }: Spending,
  amount: number,
  now: number,
): BudgetForecast | null {
  if (days < 1) return null;
  const pace = recent / days;
  const until = amount <= spent ? 0 : pace > 0 ? (amount - spent) / pace : Infinity;
  const inTime = until <= (left ?? LONGEST_DAYS);
  return {
    pace: Math.round(pace),
    atEnd: left === null ? null : Math.round(spent + pace * left),
    runsOut: inTime ? new Date(now + until * DAY_MS).toISOString() : null,
  };
}

/** All budgets, each with its forecast; of one for all, that of the subject that runs out first, else will have spent the most. */
export async function forecastBudgets(db: Queryable, timeZone: string): Promise<ForecastBudget[]> {
  const budgets = await listBudgets(db, timeZone);
  const { rows } = await db.query<Spending & Pick<Budget, 'id' | 'amount'> & { now: Date }>(
    `with clock as (select now() as now, (now() at time zone $1) as here)
     select b.id, b.amount, clock.now, sum(${AMOUNT}) filter (where d.day >= period.since)::float8 as spent,
       sum(${AMOUNT}) filter (where d.day >= clock.here::date - 7)::float8 as recent,
       least(7, clock.here::date - min(d.day)) + extract(epoch from clock.here - clock.here::date)::float8 / 86400 as days,
       extract(epoch from period.until - clock.here)::float8 / 86400 as left
     from clock, budget b
       cross join lateral (select case b.period when 'total' then '-infinity'::date else date_trunc(b.period, clock.here)::date end as since,
         case b.period when 'total' then null else date_trunc(b.period, clock.here) + ('1 ' || b.period)::interval end as until) period
       join account_day d on d.scope = b.scope and b.subject in (d.subject, '*') and (${binds('d')})
     where b.scope not in ('run', 'task')
     group by b.id, d.subject, clock.now, clock.here, period.since, period.until`,
    [timeZone],
  );
  const most = new Map<number, BudgetForecast>();
  for (const { id, amount, now, days, ...spending } of rows) {
    const forecast = forecastOf(
      { ...spending, spent: spending.spent ?? 0, recent: spending.recent ?? 0, days },
      amount,
      now.getTime(),
    );
    const known = most.get(id);
    if (forecast !== null && (known === undefined || isSooner(forecast, known))) most.set(id, forecast);
  }
  return budgets.map((budget) => ({ ...budget, forecast: most.get(budget.id) ?? null }));
}

const AMOUNT = `case b.unit when 'money' then d.money when 'tokens' then d.tokens else d.gpu end`;

function isSooner(one: BudgetForecast, other: BudgetForecast): boolean {
  if (one.runsOut !== other.runsOut) return one.runsOut !== null && (other.runsOut ?? '~') > one.runsOut;
  return (one.atEnd ?? one.pace) > (other.atEnd ?? other.pace);
}
