// How a person wants to be told: address, email, digest, quiet hours. Used by the API and by hold.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { NotificationSettingsPatch, OwnNotificationSettings } from '../../protocol/notification-ways.ts';
import type { NotificationSettings } from '../config/notification-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { setEmail } from '../people/email.ts';
import { heldUntil, pressureOf } from './hold.ts';

/** SQL of what a person wants, as one JSON value; `p` is the row of `person`, `s` that of `notification_settings`, if there is one. */
export const WISHES = `jsonb_build_object('email', coalesce(s.email, false), 'digest', coalesce(s.digest, 'off'),
  'digestAt', coalesce(s.digest_at, '08:00'), 'timeZone', coalesce(s.time_zone, 'UTC'),
  'quietHours', case when s.quiet_from is not null then jsonb_build_object('from', s.quiet_from, 'to', s.quiet_to) end)`;

type Wished = Pick<OwnNotificationSettings, 'email' | 'digest' | 'digestAt' | 'timeZone' | 'quietHours'>;
type Row = Pick<OwnNotificationSettings, 'address' | 'addressByProvider' | 'addressConfirmed'> & {
  sent: Date | null;
  wishes: Wished;
};
type Configured = Pick<NotificationSettings, 'email' | 'push'>;

/** What a person has set, and what this installation offers. */
export async function ownSettings(
  db: Queryable,
  person: number,
  { email, push }: Configured,
): Promise<OwnNotificationSettings> {
  const { rows } = await db.query<Row>(
    `select p.email as address, p.email_by_provider as "addressByProvider", p.email_verified_at is not null as "addressConfirmed",
       l.sent_at as sent, ${WISHES} as wishes
     from person p left join notification_settings s on s.person = p.id
       left join email_letter l on l.person = p.id and l.address = p.email and l.hash is not null and l.expires_at > now()
     where p.id = $1`,
    [person],
  );
  const { wishes, sent, ...address } = rows[0]!;
  return {
    ...address,
    letterAt: sent?.toISOString() ?? null,
    ...wishes,
    emailOffered: email !== undefined,
    pushOffered: push.enabled,
  };
}

/** Changes what is given; what is held goes by it from then on. ERR_STATE for email without an address. */
export async function changeOwnSettings(
  db: Queryable,
  person: number,
  patch: NotificationSettingsPatch,
  configured: Configured,
): Promise<OwnNotificationSettings> {
  return await withinTransaction(db, async (tx) => {
    await tx.query('select from person where id = $1 for update', [person]);
    const before = await ownSettings(tx, person, configured);
    if (patch.address !== undefined) await setEmail(tx, person, patch.address, 'person');
    const given = Object.entries(patch).filter(([, value]) => value !== undefined);
    const wanted: OwnNotificationSettings = { ...before, ...Object.fromEntries(given) };
    if (wanted.address === null && patch.email === true)
      throw new AutocodeError('ERR_STATE', 'There is no address that email could go to.', {
        remedy: 'Set one with it.',
      });
    await tx.query(
      `insert into notification_settings (person, email, digest, digest_at, quiet_from, quiet_to, time_zone)
       values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (person) do update set email = excluded.email, digest = excluded.digest, digest_at = excluded.digest_at,
         quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, time_zone = excluded.time_zone`,
      [
        person,
        wanted.email && wanted.address !== null,
        wanted.digest,
        wanted.digestAt,
        wanted.quietHours?.from ?? null,
        wanted.quietHours?.to ?? null,
        wanted.timeZone,
      ],
    );
    await holdAnew(tx, person, wanted);
    return await ownSettings(tx, person, configured);
  });
}

async function holdAnew(tx: Queryable, person: number, wanted: OwnNotificationSettings): Promise<void> {
  const { rows } = await tx.query<{ kind: string; now: Date }>(
    `select distinct kind, now() as now from notification_delivery where person = $1 and state = 'held'`,
    [person],
  );
  for (const { kind, now } of rows)
    await tx.query(
      `update notification_delivery set retry_at = $3 where person = $1 and state = 'held' and kind = $2`,
      [person, kind, heldUntil(now, wanted, pressureOf(kind)) ?? now],
    );
}
