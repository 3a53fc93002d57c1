// What is sent now, once, with how it went noted: tests of what messages go out by. Used by the API and confirm-address.ts.
import { randomUUID } from 'node:crypto';
import type { NotificationDelivery } from '../../protocol/notification.ts';
import type { Channel } from '../config/notification-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { getDelivery } from './delivery-log.ts';
import type { Message } from './message.ts';
import { never, UNCONFIRMED } from './outcome.ts';
import { send, type SendDeps, type Target } from './send.ts';
import type { Place } from './telling.ts';

const PATH = '/inbox';

/** Where it goes; `none` is noted as not taken, and says why. */
type Goal = Pick<Place, 'channel' | 'person'> & { target: Target | { kind: 'none'; why: string } };

/** Sends a test by a channel. */
export async function testChannel(
  db: Queryable,
  deps: SendDeps,
  channel: Channel,
  by: string,
  signal: AbortSignal,
): Promise<NotificationDelivery> {
  const message = testMessage(`A test of the channel ${channel.name}`, by);
  return await sendOnce(db, deps, { channel: channel.name, person: null, target: channel }, message, signal);
}

/** Sends a test to the address and the browsers of a person, whether or not email is wanted. */
export async function testOwnWays(
  db: Queryable,
  deps: SendDeps,
  person: number,
  by: string,
  signal: AbortSignal,
): Promise<NotificationDelivery[]> {
  const { rows } = await db.query<{ channel: string; target: Goal['target'] }>(
    `select 'email:' || id as channel, case when email_verified_at is null then jsonb_build_object('kind', 'none', 'why', $5::text)
       else jsonb_build_object('kind', 'email', 'to', email) end as target
     from person where id = $1 and email is not null and $2
     union all (select 'push:' || id, jsonb_build_object('kind', 'push', 'endpoint', endpoint, 'p256dh', p256dh, 'auth', auth,
       'path', $4::text, 'notification', null) from push_subscription where person = $1 and $3 order by id)`,
    [person, deps.settings.email !== undefined, deps.settings.push.enabled, PATH, UNCONFIRMED],
  );
  const message = testMessage('A test of your notifications', by);
  return await Promise.all(
    rows.map(async (way) => await sendOnce(db, deps, { ...way, person }, message, signal)),
  );
}

function testMessage(title: string, by: string): Words {
  return { kind: 'test', title, body: `${by} asked for it.`, url: null };
}

type Words = Pick<Message, 'kind' | 'title' | 'body' | 'url'>;

/** Sends a message and notes it, without its body. */
export async function sendOnce(
  db: Queryable,
  deps: SendDeps,
  { channel, person, target }: Goal,
  words: Words,
  signal: AbortSignal,
): Promise<NotificationDelivery> {
  const message = { ...words, id: randomUUID(), project: null, task: null, at: new Date() };
  const outcome = target.kind === 'none' ? never(target.why) : await send(deps, target, message, signal);
  const { rows } = await db.query<{ id: number }>(
    `insert into notification_delivery (channel, person, message, kind, title, body, at, state, tries, trouble, ended_at)
     values ($1, $2, $3, $4, $5, '', $6, $7, 1, $8, now()) returning id`,
    [
      channel,
      person,
      message.id,
      message.kind,
      message.title,
      message.at,
      outcome.sent ? 'sent' : 'failed',
      outcome.sent ? null : outcome.trouble,
    ],
  );
  return await getDelivery(db, rows[0]!.id);
}
