// What was sent by which channel. Used by the API and trial.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { NotificationDelivery, NotificationDeliveryState } from '../../protocol/notification.ts';
import type { Channel, NotificationSettings } from '../config/notification-settings.ts';
import type { Queryable } from '../db/connect.ts';

type Row = Omit<NotificationDelivery, 'createdAt' | 'endedAt' | 'retryAt'> & {
  retry: Date;
  created: Date;
  ended: Date | null;
};
const COLUMNS = `id, split_part(channel, ':', 1) as channel, (select name from person p where p.id = person) as person, message, kind,
  title, count, digest, state, tries, trouble, retry_at as retry, created_at as created, ended_at as ended`;

/** The newest first. */
export async function listDeliveries(
  db: Queryable,
  {
    channel,
    state,
    before,
    limit,
  }: {
    channel?: string | undefined;
    state?: NotificationDeliveryState | undefined;
    before?: number | undefined;
    limit: number;
  },
): Promise<NotificationDelivery[]> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS} from notification_delivery where ($1::text is null or split_part(channel, ':', 1) = $1)
       and ($2::text is null or state = $2) and ($3::bigint is null or id < $3) order by id desc limit $4`,
    [channel ?? null, state ?? null, before ?? null, limit],
  );
  return rows.map(shown);
}

/** The channel of a name; ERR_NOT_FOUND. */
export function channelNamed({ channels }: NotificationSettings, name: string): Channel {
  const channel = channels.find((each) => each.name === name);
  if (channel !== undefined) return channel;
  throw new AutocodeError('ERR_NOT_FOUND', `The configuration has no channel ${name}.`, {
    remedy: 'See `autocode notify channels`; they are in `notifications.channels`.',
  });
}

/** A delivery as it is shown. */
export async function getDelivery(db: Queryable, id: number): Promise<NotificationDelivery> {
  const { rows } = await db.query<Row>(`select ${COLUMNS} from notification_delivery where id = $1`, [id]);
  return shown(rows[0]!);
}

function shown({ retry, created, ended, ...row }: Row): NotificationDelivery {
  return {
    ...row,
    retryAt: ['held', 'waiting'].includes(row.state) ? retry.toISOString() : null,
    createdAt: created.toISOString(),
    endedAt: ended?.toISOString() ?? null,
  };
}
