// One-time links with which people set their passwords: the first one, and one that was forgotten. Used by the API.
import { randomBytes } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';
import { hashOf } from '../access/tokens.ts';
import type { Queryable } from '../db/connect.ts';
import { getPerson, personNotFound } from './people.ts';

/** Makes the link of a person; one that was made before opens nothing from then on. */
export async function makeLink(
  db: Queryable,
  name: string,
  hours: number,
  by: string,
): Promise<{ code: string; expiresAt: Date }> {
  const code = randomBytes(32).toString('base64url');
  const { rows } = await db.query<{ expiresAt: Date }>(
    `insert into person_link (person, hash, created_by, expires_at)
     select id, $2, $3, now() + make_interval(secs => $4::float8 * 3600) from person where name = $1 and issuer is null
     on conflict (person) do update set hash = excluded.hash, created_by = excluded.created_by, expires_at = excluded.expires_at
     returning expires_at as "expiresAt"`,
    [name, hashOf(code), by, hours],
  );
  if (rows[0] === undefined) {
    if ((await getPerson(db, name)).provider === null) throw personNotFound(name);
    throw new AutocodeError('ERR_STATE', `${name} signs in by the provider, without a password here.`, {
      remedy: 'Passwords of such people are changed there.',
    });
  }
  return { code, expiresAt: rows[0].expiresAt };
}

/** Whether the code opens a link now; asked before a password is hashed for it. */
export async function linkHolds(db: Queryable, code: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from person_link l join person p on p.id = l.person
     where l.hash = $1 and l.expires_at > now() and p.disabled_at is null`,
    [hashOf(code)],
  );
  return rowCount === 1;
}

/** Uses a link up; whose it was. */
export async function takeLink(tx: Queryable, code: string): Promise<{ id: number; name: string }> {
  const { rows } = await tx.query<{ id: number; name: string }>(
    `delete from person_link l using person p
     where l.hash = $1 and l.expires_at > now() and p.id = l.person and p.disabled_at is null returning p.id, p.name`,
    [hashOf(code)],
  );
  if (rows[0] === undefined) throw linkClosed();
  return rows[0];
}

/** The error for a code that opens nothing: unknown, used, or past its time. */
export function linkClosed(): AutocodeError {
  return new AutocodeError('ERR_UNAUTHENTICATED', 'The link is unknown, used or past its time.', {
    remedy: 'Ask an admin for a new one: `autocode user reset NAME`.',
  });
}
