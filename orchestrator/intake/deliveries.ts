// Deliveries as they are taken in: durable, sealed and once, before anything is acknowledged. What is in them is work.ts's.
// Used by hooks.ts, pull.ts and the webhooks of forges.
import { createHash } from 'node:crypto';
import type { Accepted, IntakeDelivery } from '../../protocol/intake.ts';
import type { Queryable } from '../db/connect.ts';
import type { Sealer } from './sealing.ts';
import type { RawDelivery } from './source.ts';

const LONGEST_NAME = 200;

/** Stores a delivery; one of the same name is counted and changes nothing, at any interleaving. */
export async function storeDelivery(
  db: Queryable,
  sealer: Sealer,
  source: string,
  { delivery, event, body, via }: RawDelivery & { via: IntakeDelivery['via'] },
): Promise<Accepted> {
  const name = delivery.length <= LONGEST_NAME ? delivery : sha256(Buffer.from(delivery)).toString('hex');
  const { rows } = await db.query<{ id: number; repeats: number }>({
    name: 'store-delivery',
    text: `insert into intake_delivery (source, delivery, via, event, sha256, sealed) values ($1, $2, $3, $4, $5, $6)
           on conflict (source, delivery) do update set repeats = intake_delivery.repeats + 1 returning id, repeats`,
    values: [
      source,
      name,
      via,
      event.slice(0, LONGEST_NAME),
      sha256(body),
      sealer.seal(`${source}/${name}`, body),
    ],
  });
  const { id, repeats } = rows[0]!;
  return { delivery: id, repeated: repeats > 0 };
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
