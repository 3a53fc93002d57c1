// Takes a worker whose allocation has ended off the list. Used by dispatcher.ts and reconcile.ts.
import { setWorkerBudget } from '../budget/worker-budget.ts';
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { emit } from '../events/outbox.ts';
import { LEASED_STATES } from '../tasks/run-state.ts';

/** Under its lock, and only without a run: it may have claimed one meanwhile. */
export async function removeWorker(db: Queryable, worker: string): Promise<void> {
  await withinTransaction(db, async (tx) => {
    await tx.query('select from worker where name = $1 for update', [worker]);
    const { rowCount } = await tx.query(
      `delete from worker where name = $1 and not exists (select from run where worker = $1 and state = any($2))`,
      [worker, LEASED_STATES],
    );
    if (rowCount === 0) return;
    await setWorkerBudget(tx, worker, undefined);
    await emit(tx, { kind: 'worker.removed', data: { worker } });
  });
}
