// Tests of what messages go out by: each sends one now, once, and notes how it went. Used by the API.
import { randomUUID } from 'node:crypto';
import type { NotificationDelivery } from '../../protocol/notification.ts';
import type { Channel } from '../config/notification-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { getDelivery } from './delivery-log.ts';
import type { Place } from './telling.ts';
import { send, type SendDeps, type Target } from './send.ts';

const PATH = '/inbox';

type Trial = Pick<Place, 'channel' | 'person'> & { target: Target; title: string; by: string };

/** Sends a test by a channel. */
export async function testChannel(
  db: Queryable,
  deps: SendDeps,
  channel: Channel,
  by: string,
  signal: AbortSignal,
): Promise<NotificationDelivery> {
  const title = `A test of the channel ${channel.name}`;
  return await tryOnce(db, deps, { channel: channel.name, person: null, target: channel, title, by }, signal);
}

/** Sends a test to the address and the browsers of a person, whether or not email is wanted. */
export async function testOwnWays(
  db: Queryable,
  deps: SendDeps,
  person: number,
  by: string,
  signal: AbortSignal,
): Promise<NotificationDelivery[]> {
  const { rows } = await db.query<{ channel: string; target: Target }>(
    `select 'email:' || id as channel, jsonb_build_object('kind', 'email', 'to', email) as target
     from person where id = $1 and email is not null and $2
     union all (select 'push:' || id, jsonb_build_object('kind', 'push', 'endpoint', endpoint, 'p256dh', p256dh, 'auth', auth,
       'path', $4::text, 'notification', null) from push_subscription where person = $1 and $3 order by id)`,
    [person, deps.settings.email !== undefined, deps.settings.push.enabled, PATH],
  );
  const title = 'A test of your notifications';
  return await Promise.all(
    rows.map(async (way) => await tryOnce(db, deps, { ...way, person, title, by }, signal)),
  );
}

async function tryOnce(
  db: Queryable,
  deps: SendDeps,
  { channel, person, target, title, by }: Trial,
  signal: AbortSignal,
): Promise<NotificationDelivery> {
  const id = randomUUID();
  const body = `${by} asked for it.`;
  const at = new Date();
  const message = { id, kind: 'test', project: null, task: null, title, body, url: null, at };
  const outcome = await send(deps, target, message, signal);
  const { rows } = await db.query<{ id: number }>(
    `insert into notification_delivery (channel, person, message, kind, title, body, at, state, tries, trouble, ended_at)
     values ($1, $2, $3, 'test', $4, $5, $6, $7, 1, $8, now()) returning id`,
    [
      channel,
      person,
      id,
      title,
      body,
      at,
      outcome.sent ? 'sent' : 'failed',
      outcome.sent ? null : outcome.trouble,
    ],
  );
  return await getDelivery(db, rows[0]!.id);
}
