// Budgets: what may be spent in a scope, by period. Used by reservations, the claim, the API and reports.
import type { Budget, BudgetUnit } from '../../protocol/budget.ts';
import type { Queryable } from '../db/connect.ts';
import { eachUnit, type Amounts } from './amounts.ts';
import { scopesOf, type Payers } from './payers.ts';

/** What is left of a budget. */
export const leftOf = ({ amount, spent, held }: Budget) => amount - spent - held;

/** The budgets that bind these payers. A subject's own comes before the one for all (`*`) of its scope, period and unit. */
export async function budgetsOf(db: Queryable, payers: Payers, timeZone: string): Promise<Budget[]> {
  const { scopes, subjects } = scopesOf(payers);
  const { rows } = await db.query<Budget>({
    name: 'budgets-of',
    text: `with binding as (
        select distinct on (b.scope, b.period, b.unit) b.id, b.scope, payer.subject, b.period, b.unit, b.amount
        from unnest($1::text[], $2::text[]) as payer (scope, subject)
          join budget b on b.scope = payer.scope and b.subject in (payer.subject, '*')
        order by b.scope, b.period, b.unit, b.subject = '*')
      select binding.*, to_char(nullif(start.since, '-infinity'), 'YYYY-MM-DD') as since, used.spent,
        coalesce(case binding.unit when 'money' then held.money when 'tokens' then held.tokens else held.gpu end, 0) as held
      from binding
        cross join lateral (select case binding.period when 'total' then '-infinity'::date
          else date_trunc(binding.period, now() at time zone $3)::date end as since) start
        cross join lateral (
          select coalesce(sum(case binding.unit when 'money' then d.money when 'tokens' then d.tokens else d.gpu end), 0)::bigint as spent
          from account_day d where d.scope = binding.scope and d.subject = binding.subject and d.day >= start.since) used
        left join account held on held.scope = binding.scope and held.subject = binding.subject`,
    values: [scopes, subjects, timeZone],
  });
  return rows;
}

/** The least that is left of each unit; Infinity where nothing binds it. */
export function remaining(budgets: Budget[]): Amounts {
  return eachUnit((unit) =>
    Math.min(Infinity, ...budgets.filter((budget) => budget.unit === unit).map(leftOf)),
  );
}

/** The budget that leaves the least of a unit. */
export function tightest(budgets: Budget[], unit: BudgetUnit): Budget | undefined {
  return budgets.filter((budget) => budget.unit === unit).toSorted((a, b) => leftOf(a) - leftOf(b))[0];
}
