// Browsers that people have let show notifications. Used by the API and send.ts.
import { createECDH } from 'node:crypto';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { PushSubscription, PushSubscriptionInput } from '../../../protocol/notification-ways.ts';
import type { PushSettings } from '../../config/notification-settings.ts';
import type { Queryable } from '../../db/connect.ts';
import { withinTransaction } from '../../db/within-transaction.ts';

const MOST_BROWSERS = 20;
const COLUMNS = 'id, label, endpoint, created_at as made';

type Row = Omit<PushSubscription, 'createdAt'> & { made: Date };

/** Those of a person. */
export async function listSubscriptions(db: Queryable, person: number): Promise<PushSubscription[]> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS} from push_subscription where person = $1 order by id`,
    [person],
  );
  return rows.map(shown);
}

/** Keeps a browser; again, or after another person used it: it is this person's from then on. */
export async function addSubscription(
  db: Queryable,
  person: number,
  { endpoint, keys: { p256dh, auth }, label }: PushSubscriptionInput,
  { hosts }: Pick<PushSettings, 'hosts'>,
): Promise<PushSubscription> {
  checkEndpoint(endpoint, hosts);
  checkPoint(p256dh);
  return await withinTransaction(db, async (tx) => {
    await tx.query('select from person where id = $1 for update', [person]);
    // Only the browser itself knows its keys: by the address alone nobody takes it from another.
    const { rows } = await tx.query<Row>(
      `insert into push_subscription as s (person, endpoint, p256dh, auth, label) values ($1, $2, $3, $4, $5)
       on conflict (endpoint) do update set person = excluded.person, label = excluded.label, p256dh = excluded.p256dh, auth = excluded.auth
         where s.person = excluded.person or (s.p256dh = excluded.p256dh and s.auth = excluded.auth)
       returning ${COLUMNS}`,
      [person, endpoint, p256dh, auth, label],
    );
    const { rows: counts } = await tx.query<{ count: number }>(
      'select count(*)::int as count from push_subscription where person = $1',
      [person],
    );
    if (rows[0] === undefined)
      throw new AutocodeError('ERR_CONFLICT', 'This browser is subscribed for somebody else.', {
        remedy: 'End its subscription in the browser and subscribe anew.',
      });
    if (counts[0]!.count > MOST_BROWSERS)
      throw new AutocodeError('ERR_CONFLICT', `There are ${MOST_BROWSERS} browsers already.`, {
        remedy: 'Remove one that is not used any more.',
      });
    return shown(rows[0]);
  });
}

/** Forgets one of a person; ERR_NOT_FOUND. */
export async function removeSubscription(db: Queryable, person: number, id: number): Promise<void> {
  const { rowCount } = await db.query('delete from push_subscription where id = $1 and person = $2', [
    id,
    person,
  ]);
  if (rowCount === 0) throw new AutocodeError('ERR_NOT_FOUND', `There is no browser ${id} of yours.`);
}

/** Forgets one that its browser has ended, by the channel of its deliveries. */
export async function forgetSubscription(db: Queryable, channel: string): Promise<void> {
  await db.query(`delete from push_subscription where 'push:' || id = $1`, [channel]);
}

/** Whether a push service is one of those that may be sent to. */
export function isAllowed(endpoint: string, hosts: readonly string[]): boolean {
  const { protocol, hostname, username, password } = new URL(endpoint);
  const fits = (host: string) =>
    host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host;
  return protocol === 'https:' && username === '' && password === '' && hosts.some(fits);
}

function checkEndpoint(endpoint: string, hosts: readonly string[]): void {
  if (isAllowed(endpoint, hosts)) return;
  throw new AutocodeError('ERR_INVALID_INPUT', `Nothing is sent to ${new URL(endpoint).hostname}.`, {
    remedy: 'An admin can add the push service of this browser to `notifications.push.hosts`.',
  });
}

function checkPoint(p256dh: string): void {
  const ecdh = createECDH('prime256v1');
  ecdh.generateKeys();
  try {
    ecdh.computeSecret(p256dh, 'base64url');
  } catch (cause) {
    throw new AutocodeError('ERR_INVALID_INPUT', 'keys.p256dh is no key of a browser.', { cause });
  }
}

function shown({ made, ...row }: Row): PushSubscription {
  return { ...row, createdAt: made.toISOString() };
}
