// Writes what is told: into an inbox, and to where else it goes. The same again joins what is there. Used by take.ts.
import type { NotificationKind } from '../../protocol/notification.ts';
import type { Queryable } from '../db/connect.ts';
import { heldUntil, pressureOf, type Holding } from './hold.ts';
import type { Told } from './wording.ts';

/** What is told of an event. */
export interface Telling extends Told {
  event: string;
  project: number | null;
  task: number | null;
  at: Date;
}

/** Where it goes besides the inbox: a channel, or `email:<person>` and `push:<subscription>` of a person. */
export interface Place {
  channel: string;
  person: number | null;
  holding: Holding | null;
}

/** Events of these kinds come again though nothing has changed; those of others are a change each. */
const REPEATING = new Set<NotificationKind>([
  'egress.anomaly',
  'secret.misused',
  'intake.approval',
  'intake.failed',
]);

/** Puts it into an inbox: the same, unread, is replaced and counted. It is a new row, which nobody has read up to. */
export async function tellInbox(
  tx: Queryable,
  { event, kind, subject, project, task, title, body, path, at }: Telling,
  person: number | null,
  repeatMinutes: number,
): Promise<void> {
  await tx.query(
    `with same as (
       delete from notification where kind = $2 and subject = $3 and project is not distinct from $4::bigint
         and person is not distinct from $10::bigint and read_at is null and event <> $1
         and at > $9::timestamptz - make_interval(secs => $11::float8 * 60)
       returning count, coalesce(first_at, at) as first)
     insert into notification (event, kind, subject, project, task, title, body, path, at, person, count, first_at)
     select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1 + coalesce(sum(count), 0), coalesce(min(first), $9) from same
     on conflict do nothing`,
    [event, kind, subject, project, task, title, body, path, at, person, repeatMinutes],
  );
}

/** Has it sent to a place: what of the same has not gone out yet is brought up to date, what has gone out is not said twice. */
export async function tellPlace(
  tx: Queryable,
  { event, kind, subject, project, task, title, body, path, at }: Telling,
  { channel, person, holding }: Place,
  { now, repeatMinutes }: { now: Date; repeatMinutes: number },
): Promise<void> {
  const until = holding && heldUntil(now, holding, pressureOf(kind));
  await tx.query(
    `with last as (
       select id, state, tries, title, body, at from notification_delivery
       where channel = $10 and kind = $2 and subject = $3 and project is not distinct from $4::bigint order by id desc limit 1),
     joined as (
       update notification_delivery d set event = $1, title = $6, body = $7, path = $8, at = $9, count = d.count + 1
       from last where d.id = last.id and $14 > 0 and d.state in ('held','waiting') and d.tries = 0 returning d.id)
     insert into notification_delivery (event, kind, subject, project, task, title, body, path, at, channel, person, state, retry_at)
     select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, coalesce($13::timestamptz, now())
     where not exists (select from joined)
       and not ($15 and exists (select from last where state <> 'failed' and title = $6 and body = $7
         and at > $9::timestamptz - make_interval(secs => $14::float8 * 60)))
     on conflict do nothing`,
    [
      event,
      kind,
      subject,
      project,
      task,
      title,
      body,
      path,
      at,
      channel,
      person,
      until === null ? 'waiting' : 'held',
      until,
      repeatMinutes,
      REPEATING.has(kind),
    ],
  );
}
