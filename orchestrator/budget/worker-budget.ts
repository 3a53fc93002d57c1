// The daily budget that a worker was started with: one like others, beside what people have set for the worker, so that neither
// can raise the other. Used when a worker registers.
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';

/** Sets it, or removes it when the worker came without one. In a transaction. */
export async function setWorkerBudget(
  tx: Queryable,
  worker: string,
  amount: number | undefined,
): Promise<void> {
  const budget = { scope: 'worker', subject: worker, period: 'day', unit: 'money' };
  const actor = `worker ${worker}`;
  if (amount === undefined) {
    const { rows } = await tx.query<{ amount: number }>(
      `delete from budget where scope = 'worker' and subject = $1 and origin = 'worker' returning amount`,
      [worker],
    );
    if (rows[0] !== undefined)
      await emit(tx, { kind: 'budget.removed', data: { ...budget, ...rows[0], actor } });
    return;
  }
  const { rowCount } = await tx.query(
    `insert into budget (scope, subject, period, unit, amount, origin, created_by) values ('worker', $1, 'day', 'money', $2, 'worker', $3)
     on conflict (scope, subject, period, unit, origin) do update set amount = excluded.amount, created_at = now()
       where budget.amount <> excluded.amount`,
    [worker, amount, actor],
  );
  if (rowCount !== 0) await emit(tx, { kind: 'budget.set', data: { ...budget, amount, actor } });
}
