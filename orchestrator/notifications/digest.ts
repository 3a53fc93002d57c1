// What was held goes out: by itself where it is alone, else as parts of one message. Used by deliveries.ts.
import { transaction, type Database, type Queryable } from '../db/connect.ts';

/** Has what is held until now go out from these channels; in one transaction each, so that nothing is lost or doubled. */
export async function releaseHeld(db: Database, channels: string[]): Promise<void> {
  for (const channel of channels) await transaction(db, async (tx) => await release(tx, channel));
}

async function release(tx: Queryable, channel: string): Promise<void> {
  const { rows } = await tx.query<{ id: number }>(
    `select id from notification_delivery where channel = $1 and state = 'held' and retry_at <= now() order by id for update`,
    [channel],
  );
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return;
  if (ids.length === 1) {
    // Held as long as it was asked to be, it has its time to be tried from now on.
    await tx.query(
      `update notification_delivery set state = 'waiting', created_at = now(), retry_at = now() where id = $1`,
      ids,
    );
    return;
  }
  await tx.query(
    `with digest as (
       insert into notification_delivery (channel, person, kind, title, body, path, at)
       select channel, min(person), 'digest', $2, '', '/inbox', max(at) from notification_delivery where id = any($1)
       group by channel returning id)
     update notification_delivery d set state = 'joined', digest = digest.id, ended_at = now()
     from digest where d.id = any($1)`,
    [ids, `${ids.length} notifications`],
  );
}
