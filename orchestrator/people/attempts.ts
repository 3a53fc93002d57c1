// Bounds guessing: attempts to sign in are counted by name and by address before the password is looked at, and after some that
// failed the next has to wait, longer each time. The counts are in the database: a restart forgives nothing. Used by sign-in.ts.
import { createHash } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';
import { transaction, type Database, type Queryable } from '../db/connect.ts';

interface Bound {
  key: string;
  /** Attempts without a wait. */
  free: number;
  /** The longest wait, in seconds. Short for a name alone, or anybody could keep its owner out. */
  longest: number;
}

/** Always in this order: two attempts at once never wait for each other in a circle. */
const boundsOf = (name: string, address: string): Bound[] => [
  { key: `name and address:${name}\n${address}`, free: 5, longest: 900 },
  { key: `name:${name}`, free: 20, longest: 60 },
  { key: `address:${address}`, free: 50, longest: 900 },
];

/** Counts an attempt; ERR_RATE_LIMITED with `details.seconds` while one has to wait. An attempt that is refused is not counted. */
export async function countAttempt(db: Database, name: string, address: string): Promise<void> {
  await transaction(db, async (tx) => {
    for (const { key, free, longest } of boundsOf(name, address)) {
      const { rowCount } = await tx.query(
        `insert into sign_in_attempt as a (key, attempts) values ($1, 1)
         on conflict (key) do update set last_at = now(),
           attempts = case when a.last_at < now() - interval '1 day' then 1 else a.attempts + 1 end,
           closed_until = case when a.last_at < now() - interval '1 day' or a.attempts < $2 then now()
             else now() + make_interval(secs => least($3::float8, 2 ^ least(a.attempts - $2, 20))) end
         where a.closed_until <= now()`,
        [hashed(key), free, longest],
      );
      if (rowCount === 0) throw await tooMany(tx, key);
    }
  });
}

/** After a success: the name is forgiven what failed; of the address only this attempt, or an own account would pay for guesses at others. */
export async function forgive(db: Queryable, name: string, address: string): Promise<void> {
  const [pair, alone, from] = boundsOf(name, address).map(({ key }) => hashed(key));
  await db.query('delete from sign_in_attempt where key in ($1, $2)', [pair, alone]);
  await db.query(
    'update sign_in_attempt set attempts = greatest(attempts - 1, 0), closed_until = now() where key = $1',
    [from],
  );
}

/** Forgets counts of which nothing follows any more. */
export async function forgetAttempts(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    `delete from sign_in_attempt where last_at < now() - interval '1 day' and closed_until < now()`,
  );
  return rowCount ?? 0;
}

async function tooMany(tx: Queryable, key: string): Promise<AutocodeError> {
  const { rows } = await tx.query<{ seconds: number }>(
    `select greatest(1, ceil(extract(epoch from closed_until - now())))::int as seconds from sign_in_attempt where key = $1`,
    [hashed(key)],
  );
  const seconds = rows[0]?.seconds ?? 1;
  return new AutocodeError('ERR_RATE_LIMITED', 'Too many attempts to sign in failed.', {
    remedy: `Try again in ${seconds} s; an admin can give you a new link (\`autocode user reset\`).`,
    details: { seconds },
  });
}

function hashed(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
