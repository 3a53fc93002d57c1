// What `status` says of channels whose messages do not arrive. Used by status.ts.
import type { PartHealth } from '../../protocol/status.ts';
import type { NotificationSettings } from '../config/notification-settings.ts';
import type { Queryable } from '../db/connect.ts';

/** So long a channel may fail before it is told. */
const GRACE = '1 hour';

/** Nothing where only inboxes are told. */
export async function notificationHealth(
  db: Queryable,
  { channels, email, push }: NotificationSettings,
): Promise<PartHealth[]> {
  const names = [
    ...channels.map(({ name }) => `channel ${name}`),
    ...(email === undefined ? [] : ['email of people']),
    ...(push.enabled ? ['browsers of people'] : []),
  ];
  if (names.length === 0) return [];
  // Of people, what was refused once is about one address or one browser. A test tells that a channel works, not that it fails.
  const { rows } = await db.query<{ name: string; since: Date; trouble: string }>(
    `with named as (
       select case when person is null then 'channel ' || channel when channel like 'email:%' then 'email of people'
           else 'browsers of people' end as name,
         id, state, kind, person, tries, created_at, ended_at, trouble
       from notification_delivery where state in ('waiting','sent','failed')),
     reached as (select name, max(ended_at) as at from named where state = 'sent' group by name)
     select name, min(created_at) as since, (array_agg(trouble order by id desc))[1] as trouble
     from named left join reached using (name)
     where trouble is not null and state <> 'sent' and kind <> 'test' and (person is null or tries > 1)
       and created_at > coalesce(reached.at, '-infinity') and name = any($1)
     group by name having min(created_at) <= now() - interval '${GRACE}' order by name`,
    [names],
  );
  const failing = rows.map(
    ({ name, since, trouble }) => `${name} has failed since ${since.toISOString()}: ${trouble}`,
  );
  const detail = [names.join(', '), ...failing].join('; ');
  return [{ name: 'notifications', state: failing.length === 0 ? 'ok' : 'degraded', detail }];
}
