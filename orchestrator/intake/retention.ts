// Bodies of deliveries go when their time is over; what became of them stays, since it keeps the same from being done twice.
// One that a person has yet to decide about keeps its body. A chore of the scheduler (daemon/intake.ts).
import type { Queryable } from '../db/connect.ts';

/** Removes what is too old; answers how many bodies. */
export async function removeOldBodies(db: Queryable, days: number): Promise<number> {
  const { rowCount } = await db.query(
    `update intake_delivery d set sealed = null
      where sealed is not null and state <> 'waiting' and received_at < now() - make_interval(days => $1)
        and not exists (select from intake_item i where i.delivery = d.id and i.verdict = 'quarantined')`,
    [days],
  );
  return rowCount ?? 0;
}
