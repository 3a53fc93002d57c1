// Draining one worker: it takes no runs, and finishes those that it has. Used by the API; the claim heeds it.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { emit } from '../events/outbox.ts';
import { wakeClaimers } from '../tasks/queue.ts';

/** Drains the worker or ends its drain; from the answer on it takes no run. ERR_NOT_FOUND. */
export async function drainWorker(
  db: Queryable,
  worker: string,
  draining: boolean,
  actor: string,
): Promise<void> {
  await withinTransaction(db, async (tx) => {
    const { rows } = await tx.query<{ draining: boolean }>(
      'select draining from worker where name = $1 for no key update',
      [worker],
    );
    if (rows[0] === undefined) {
      throw new AutocodeError('ERR_NOT_FOUND', `There is no worker ${worker}.`, {
        remedy: 'See `autocode worker list`.',
      });
    }
    if (rows[0].draining === draining) return;
    await tx.query('update worker set draining = $2 where name = $1', [worker, draining]);
    await emit(tx, { kind: draining ? 'worker.draining' : 'worker.resumed', data: { worker, by: actor } });
    if (!draining) await wakeClaimers(tx);
  });
}
