// What `status` says of channels whose messages do not arrive. Used by status.ts.
import type { PartHealth } from '../../protocol/status.ts';
import type { NotificationSettings } from '../config/notification-settings.ts';
import type { Queryable } from '../db/connect.ts';

/** So long a channel may fail before it is told. */
const GRACE = '1 hour';

/** SQL of the rows of a way, and of those that tell of a failure: as its indexes have them. */
const OF_WAY = `split_part(d.channel, ':', 1) = way.channel and (d.person is null) = (not way.of_people)`;
const FAILING = `state in ('waiting','failed') and trouble is not null and kind <> 'test' and (person is null or tries > 1)`;

/** Nothing where only inboxes are told. */
export async function notificationHealth(
  db: Queryable,
  { channels, email, push }: NotificationSettings,
): Promise<PartHealth[]> {
  const ways = [
    ...channels.map(({ name }) => ({ name: `channel ${name}`, channel: name, ofPeople: false })),
    ...(email === undefined ? [] : [{ name: 'email of people', channel: 'email', ofPeople: true }]),
    ...(push.enabled ? [{ name: 'browsers of people', channel: 'push', ofPeople: true }] : []),
  ];
  if (ways.length === 0) return [];
  // Each way looks at the ends of two indexes, however much is kept. Of people, what was refused once is about one address or one
  // browser. A test tells that a channel works, not that it fails.
  const { rows } = await db.query<{ name: string; since: Date; trouble: string }>(
    `select way.name, first.created_at as since, last.trouble
     from unnest($1::text[], $2::text[], $3::boolean[]) with ordinality as way (name, channel, of_people, place)
     left join lateral (
       select max(ended_at) as at from notification_delivery d
       where ${OF_WAY} and state = 'sent') reached on true
     join lateral (
       select created_at from notification_delivery d
       where ${OF_WAY} and ${FAILING} and created_at > coalesce(reached.at, '-infinity') order by created_at limit 1) first on true
     join lateral (
       select trouble from notification_delivery d
       where ${OF_WAY} and ${FAILING} order by created_at desc limit 1) last on true
     where first.created_at <= now() - interval '${GRACE}' order by way.place`,
    [ways.map(({ name }) => name), ways.map(({ channel }) => channel), ways.map(({ ofPeople }) => ofPeople)],
  );
  const failing = rows.map(
    ({ name, since, trouble }) => `${name} has failed since ${since.toISOString()}: ${trouble}`,
  );
  const detail = [ways.map(({ name }) => name).join(', '), ...failing].join('; ');
  return [{ name: 'notifications', state: failing.length === 0 ? 'ok' : 'degraded', detail }];
}
