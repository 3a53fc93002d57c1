// Budgets: what may be spent in a scope, by period. Used by reservations, the claim, the API and reports.
import type { Budget, BudgetScope, BudgetUnit } from '../../protocol/budget.ts';
import type { Queryable } from '../db/connect.ts';
import { eachUnit, type Amounts } from './amounts.ts';
import { scopesOf, type Payers } from './payers.ts';

/** Whose a budget is. */
export interface Owner {
  scope: BudgetScope;
  subject: string;
}

/** What is left of a budget. */
export const leftOf = ({ amount, spent, held }: Budget) => amount - spent - held;

/** The budgets that bind these payers. A subject's own comes before the one for all (`*`) of its scope, period and unit. */
export async function budgetsOf(db: Queryable, payers: Payers, timeZone: string): Promise<Budget[]> {
  return await budgetsOfOwners(db, scopesOf(payers), timeZone);
}

/** The budgets of these owners of which nothing is left. */
export async function usedUp(db: Queryable, owners: Owner[], timeZone: string): Promise<Budget[]> {
  const columns = {
    scopes: owners.map(({ scope }) => scope),
    subjects: owners.map(({ subject }) => subject),
  };
  return (await budgetsOfOwners(db, columns, timeZone)).filter((budget) => leftOf(budget) <= 0);
}

async function budgetsOfOwners(
  db: Queryable,
  { scopes, subjects }: { scopes: string[]; subjects: string[] },
  timeZone: string,
): Promise<Budget[]> {
  const { rows } = await db.query<Budget>({
    name: 'budgets-of',
    text: `with binding as (
        select distinct on (b.scope, owner.subject, b.period, b.unit, b.origin)
          b.id, b.scope, owner.subject, b.period, b.unit, b.amount, b.origin
        from unnest($1::text[], $2::text[]) as owner (scope, subject)
          join budget b on b.scope = owner.scope and b.subject in (owner.subject, '*')
        order by b.scope, owner.subject, b.period, b.unit, b.origin, b.subject = '*')
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
