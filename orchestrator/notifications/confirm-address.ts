// A person's own address of email is confirmed by the code of a letter that was sent there. Codes hold for a day and are good for
// one use; their hashes are kept alone. Used by the API.
import { randomBytes } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';
import type { NotificationDelivery } from '../../protocol/notification.ts';
import { hashOf } from '../access/tokens.ts';
import { transaction, type Database, type Queryable } from '../db/connect.ts';
import type { SendDeps } from './send.ts';
import { sendOnce } from './trial.ts';

const HOLDS_HOURS = 24;
/** Letters that a person has sent within an hour, to whichever addresses: strangers are not to be flooded by them. */
const MOST_LETTERS = 5;
const COUNTED_ANEW = `l.counted_from < now() - interval '1 hour'`;

export interface LetterDeps extends SendDeps {
  /** Address of the web page, where the configuration says one: no other stands in a letter. */
  publicUrl: string | undefined;
}

/**
 * Sends a letter with a code, once; a code that was sent before confirms nothing from then on. ERR_STATE where there is nothing to
 * confirm, ERR_RATE_LIMITED with `details.seconds` after too many letters.
 */
export async function sendLetter(
  db: Database,
  deps: LetterDeps,
  person: number,
  signal: AbortSignal,
): Promise<NotificationDelivery> {
  if (deps.settings.email === undefined)
    throw new AutocodeError('ERR_STATE', 'This installation sends no email.', {
      remedy: 'An admin can set `notifications.email` in the configuration.',
    });
  const code = randomBytes(32).toString('base64url');
  // Kept before it is sent: a letter that arrives can be used, also when the daemon ends in between.
  const { address, name } = await keepCode(db, person, code);
  const delivery = await sendOnce(
    db,
    deps,
    { channel: `email:${person}`, person, target: { kind: 'email', to: address } },
    {
      kind: 'email.confirmation',
      title: 'Confirm this address for Autocode',
      body: `${name} wants notifications to be sent here. The code is:\n\n${code}\n\nIt holds for a day.`,
      url: deps.publicUrl === undefined ? null : `${deps.publicUrl.replace(/\/+$/, '')}${pathFor(code)}`,
    },
    signal,
  );
  if (delivery.state !== 'sent')
    await db.query('update email_letter set hash = null where person = $1 and hash = $2', [
      person,
      hashOf(code),
    ]);
  return delivery;
}

/** Confirms the address that the letter with this code went to, if it is still that of the person; ERR_NOT_FOUND. */
export async function confirmAddress(db: Database, person: number, code: string): Promise<void> {
  await transaction(db, async (tx) => {
    await tx.query('select from person where id = $1 for update', [person]); // the address stays what it is
    const { rowCount } = await tx.query(
      `with used as (
         update email_letter l set hash = null from person p
         where l.person = $1 and l.hash = $2 and l.expires_at > now() and p.id = l.person and p.email = l.address returning p.id)
       update person p set email_verified_at = now() from used where p.id = used.id`,
      [person, hashOf(code)],
    );
    if (rowCount === 0)
      throw new AutocodeError('ERR_NOT_FOUND', 'The code is unknown, used, past its time or not yours.', {
        remedy: 'Have a new letter sent: `autocode notify confirm`.',
      });
  });
}

// After the #: what a browser sends to no server and no proxy writes into its log.
function pathFor(code: string): string {
  return `/inbox?view=ways#confirm=${code}`;
}

async function keepCode(
  db: Queryable,
  person: number,
  code: string,
): Promise<{ address: string; name: string }> {
  const { rows } = await db.query<{ address: string; name: string }>(
    `with kept as (
       insert into email_letter as l (person, address, hash, expires_at)
       select id, email, $2, now() + make_interval(hours => $3) from person
       where id = $1 and email is not null and email_verified_at is null
       on conflict (person) do update set address = excluded.address, hash = excluded.hash, sent_at = now(),
         expires_at = excluded.expires_at, letters = case when ${COUNTED_ANEW} then 1 else l.letters + 1 end,
         counted_from = case when ${COUNTED_ANEW} then now() else l.counted_from end
       where ${COUNTED_ANEW} or l.letters < $4 returning l.person, l.address)
     select kept.address, p.name from kept join person p on p.id = kept.person`,
    [person, hashOf(code), HOLDS_HOURS, MOST_LETTERS],
  );
  if (rows[0] === undefined) throw await refusal(db, person);
  return rows[0];
}

async function refusal(db: Queryable, person: number): Promise<AutocodeError> {
  const { rows } = await db.query<{ address: string | null; confirmed: boolean; seconds: number | null }>(
    `select p.email as address, p.email_verified_at is not null as confirmed,
       greatest(1, ceil(extract(epoch from l.counted_from + interval '1 hour' - now())))::int as seconds
     from person p left join email_letter l on l.person = p.id where p.id = $1`,
    [person],
  );
  const { address, confirmed, seconds } = rows[0]!;
  if (address === null)
    return new AutocodeError('ERR_STATE', 'There is no address to confirm.', {
      remedy: 'Set one: `autocode notify settings --address ann@example.org`.',
    });
  if (confirmed) return new AutocodeError('ERR_STATE', `${address} is confirmed already.`);
  return new AutocodeError('ERR_RATE_LIMITED', `${MOST_LETTERS} letters were sent within an hour.`, {
    remedy: `Another one can be sent in ${seconds} s.`,
    details: { seconds },
  });
}
