// Deliveries of the webhooks that forges have for their pull requests: what was believed there is kept for the sources of that
// forge, in the transaction that notes the delivery. Bound to repos/ in main.ts.
import type { Queryable } from '../db/connect.ts';
import type { Delivery } from '../repos/forge/webhook.ts';
import { storeDelivery } from './deliveries.ts';
import type { Sealer } from './sealing.ts';

/** Keeps deliveries for the sources of their forge. */
export function keepForgeDeliveries(sealer: Sealer) {
  return async (tx: Queryable, { kind, forge, id, event, body }: Delivery): Promise<void> => {
    const { rows } = await tx.query<{ name: string }>({
      name: 'sources-of-forge',
      text: `select name from intake_source where kind = 'forge' and settings->>'forge' = $1 order by name`,
      values: [forge],
    });
    for (const { name } of rows) {
      const raw = { delivery: id, event: `${kind} ${event}`, body, via: 'webhook' as const };
      await storeDelivery(tx, sealer, name, raw);
    }
  };
}
