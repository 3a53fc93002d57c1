// Setting, showing and removing budgets, one at a time or as a whole document. Used by the API.
import type {
  Budget,
  BudgetDifference,
  BudgetDocument,
  BudgetInput as Input,
} from '../../protocol/budget.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';

/** A budget whose amount is in the ledger currency. */
export type BudgetInput = Omit<Input, 'currency'>;

/** Sets a budget, in place of the one of the same scope, subject, period and unit. */
export async function setBudget(
  db: Queryable,
  { scope, subject, period, unit, amount }: BudgetInput,
  actor: string,
): Promise<void> {
  const { rows } = await db.query<{ id: number }>(
    `insert into budget (scope, subject, period, unit, amount, created_by) values ($1, $2, $3, $4, $5, $6)
     on conflict (scope, subject, period, unit, origin) do update set amount = excluded.amount, created_by = excluded.created_by, created_at = now()
       where budget.amount <> excluded.amount
     returning id`,
    [scope, subject, period, unit, amount, actor],
  );
  if (rows[0] === undefined) return; // it is so already
  // What was told was of the amount before.
  await db.query('delete from budget_notice where budget = $1', [rows[0].id]);
  await emit(db, { kind: 'budget.set', data: { scope, subject, period, unit, amount, actor } });
}

/** Removes a budget; ERR_NOT_FOUND names those that there are. */
export async function removeBudget(db: Queryable, id: number, actor: string): Promise<void> {
  const { rows } = await db.query<BudgetInput>(
    'delete from budget where id = $1 returning scope, subject, period, unit, amount',
    [id],
  );
  if (rows[0] === undefined)
    throw new AutocodeError('ERR_NOT_FOUND', `There is no budget ${id}.`, {
      remedy: 'See `autocode budget list`.',
    });
  await emit(db, { kind: 'budget.removed', data: { ...rows[0], actor } });
}

/** Brings the budgets to those of a document; answers with what that changes, or would change. In a transaction. */
export async function applyBudgets(
  tx: Queryable,
  { budgets, prune, dryRun }: Omit<BudgetDocument, 'budgets'> & { budgets: BudgetInput[] },
  actor: string,
): Promise<BudgetDifference> {
  await tx.query('lock table budget in share row exclusive mode');
  const { rows } = await tx.query<BudgetInput & { id: number }>(
    `select id, scope, subject, period, unit, amount from budget where origin = 'set' order by id`,
  );
  const before = new Map(rows.map((row) => [keyOf(row), row]));
  const after = new Map<string, BudgetInput>();
  for (const input of budgets) {
    if (after.has(keyOf(input)))
      throw new AutocodeError('ERR_INVALID_INPUT', `There are two budgets for ${wordsOf(input)}.`, {
        remedy: 'Leave one of them out.',
      });
    after.set(keyOf(input), input);
  }
  const set = budgets.filter((input) => before.get(keyOf(input))?.amount !== input.amount);
  const removed = prune ? rows.filter((row) => !after.has(keyOf(row))) : [];
  if (!dryRun) {
    for (const input of set) await setBudget(tx, input, actor);
    for (const { id } of removed) await removeBudget(tx, id, actor);
  }
  return [
    ...set.map(({ amount, ...key }) => ({
      ...key,
      before: before.get(keyOf(key))?.amount ?? null,
      after: amount,
    })),
    ...removed.map(({ id: _, amount, ...key }) => ({ ...key, before: amount, after: null })),
  ];
}

/** Of a budget `b` for all, and rows of their subjects: that this one has no budget of its own in its place. */
export const binds = (row: string) =>
  `b.subject <> '*' or not exists (select from budget own where own.scope = b.scope and own.subject = ${row}.subject
     and own.period = b.period and own.unit = b.unit and own.origin = b.origin)`;

/** All budgets as they stand in their periods; of one for all, the subject that has spent the most. */
export async function listBudgets(db: Queryable, timeZone: string): Promise<Budget[]> {
  const { rows } = await db.query<Budget>(
    `select b.id, b.scope, b.subject, b.period, b.unit, b.amount, b.origin,
       to_char(nullif(start.since, '-infinity'), 'YYYY-MM-DD') as since, used.spent, held.held
     from budget b
       cross join lateral (select case b.period when 'total' then '-infinity'::date
         else date_trunc(b.period, now() at time zone $1)::date end as since) start
       cross join lateral (select coalesce(max(of_one), 0)::bigint as spent from (
         select sum(case b.unit when 'money' then d.money when 'tokens' then d.tokens else d.gpu end) as of_one
           from account_day d where d.scope = b.scope and b.subject in (d.subject, '*') and d.day >= start.since and (${binds('d')})
           group by d.subject) each_subject) used
       cross join lateral (select coalesce(max(case b.unit when 'money' then a.money when 'tokens' then a.tokens else a.gpu end), 0)::bigint
         as held from account a where a.scope = b.scope and b.subject in (a.subject, '*') and (${binds('a')})) held
     order by b.scope, b.subject, b.period, b.unit, b.origin`,
    [timeZone],
  );
  return rows;
}

function keyOf({ scope, subject, period, unit }: Omit<BudgetInput, 'amount'>): string {
  return [scope, subject, period, unit].join('\0');
}

function wordsOf({ scope, subject, period, unit }: Omit<BudgetInput, 'amount'>): string {
  return `${unit} of ${[scope, subject].filter(Boolean).join(' ')}, ${period === 'total' ? 'in total' : `by ${period}`}`;
}
