// Tells once a period that 80 and then 100 % of a budget are spent. Used by the scheduler.
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { listBudgets } from './budgets.ts';

const LEVELS = [80, 100];

/** Emits `budget.reached` for what was not told yet; how many. */
export async function tellBudgets(db: Queryable, timeZone: string): Promise<number> {
  let told = 0;
  for (const { id, since, ...budget } of await listBudgets(db, timeZone)) {
    const reached = LEVELS.filter((level) => budget.spent * 100 >= budget.amount * level);
    for (const level of reached) {
      told += await withinTransaction(db, async (tx) => {
        const { rowCount } = await tx.query(
          `insert into budget_notice (budget, since, level) values ($1, coalesce($2::date, '-infinity'), $3) on conflict do nothing`,
          [id, since, level],
        );
        if (rowCount === 0) return 0;
        await emit(tx, { kind: 'budget.reached', data: { budget: id, since, level, ...budget } });
        return 1;
      });
    }
  }
  return told;
}
