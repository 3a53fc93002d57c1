// Charges what is left of slabs whose gateway is gone: nobody knows what its calls in flight cost. Used by every gateway.
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import type { Amounts } from './amounts.ts';
import { writeCharges, unhold, type Books } from './charge.ts';
import type { Payers } from './payers.ts';
import { closeSlab, lockAccounts } from './slabs.ts';

/** Closes and charges the slabs that nobody has renewed for so long, each in a transaction; how many. */
export async function sweepSlabs(db: Queryable, books: Books, staleSeconds: number): Promise<number> {
  const { rows } = await db.query<{ id: string; payers: Payers }>(
    `select id, payers from slab where state = 'open' and renewed_at < now() - make_interval(secs => $1)`,
    [staleSeconds],
  );
  for (const { id, payers } of rows) {
    await withinTransaction(db, async (tx) => {
      await lockAccounts(tx, payers);
      const left = await closeSlab(tx, id, 'swept');
      if (left === undefined) return;
      await unhold(tx, [{ payers, ...left }]);
      if (Object.values<number>(left).every((amount) => amount === 0)) return;
      await writeCharges(tx, [sweptCharge(id, payers, left)], books);
    });
  }
  return rows.length;
}

function sweptCharge(slab: string, payers: Payers, { money, tokens, gpu }: Amounts) {
  return {
    id: slab,
    kind: 'swept' as const,
    slab: null,
    payers,
    engine: 'unknown',
    model: 'unknown',
    cause: 'platform' as const,
    tokens: { input: tokens, cached: 0, output: 0, reasoning: 0 },
    money,
    gpu,
  };
}
