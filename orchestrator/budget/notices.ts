// Tells once a period that 80 and then 100 % of a budget are spent; of one for all (`*`), of each subject that it binds.
// Used by the scheduler.
import type { Budget } from '../../protocol/budget.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { binds } from './budgets.ts';

const LEVELS = [80, 100];

/** Emits `budget.reached` for what was not told yet; how many. */
export async function tellBudgets(db: Queryable, timeZone: string): Promise<number> {
  let told = 0;
  for (const { id, ...reached } of await reachedBudgets(db, timeZone)) {
    told += await withinTransaction(db, async (tx) => {
      const { rowCount } = await tx.query(
        `insert into budget_notice (budget, subject, since, level) values ($1, $2, coalesce($3::date, '-infinity'), $4)
         on conflict do nothing`,
        [id, reached.subject, reached.since, reached.level],
      );
      if (rowCount === 0) return 0;
      await emit(tx, { kind: 'budget.reached', data: { budget: id, ...reached } });
      return 1;
    });
  }
  return told;
}

type Reached = Omit<Budget, 'held'> & { level: number };

async function reachedBudgets(db: Queryable, timeZone: string): Promise<Reached[]> {
  const { rows } = await db.query<Reached>(
    `select reached.*, level from (
       select b.id, b.scope, d.subject, b.period, b.unit, b.amount, b.origin,
         to_char(nullif(start.since, '-infinity'), 'YYYY-MM-DD') as since,
         sum(case b.unit when 'money' then d.money when 'tokens' then d.tokens else d.gpu end)::bigint as spent
       from budget b
         cross join lateral (select case b.period when 'total' then '-infinity'::date
           else date_trunc(b.period, now() at time zone $1)::date end as since) start
         join account_day d on d.scope = b.scope and b.subject in (d.subject, '*') and d.day >= start.since
       where ${binds('d')}
       group by b.id, start.since, d.subject) reached
     join unnest($2::int[]) as level on spent * 100 >= amount * level
     where not exists (select from budget_notice n where n.budget = reached.id and n.subject = reached.subject
       and n.since = coalesce(reached.since::date, '-infinity') and n.level = level.level)
     order by id, subject, level`,
    [timeZone, LEVELS],
  );
  return rows;
}
