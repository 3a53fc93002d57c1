// Signing in: with name and password, or with a one-time link; and changing the password. Each ends in a session of its own,
// never in one that was there before. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import type { PasswordChange, SignInInput, WelcomeInput } from '../../protocol/person.ts';
import { transaction, type Database, type Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { countAttempt, forgive } from './attempts.ts';
import { linkClosed, linkHolds, takeLink } from './links.ts';
import { hashPassword, isPassword } from './passwords.ts';
import { beginSession, endSessions, type Lifetime, type Origin } from './sessions.ts';

/** Signs in with a password; the value of the new session's cookie. An unknown name is refused as a wrong password is, and takes as long. */
export async function signIn(
  db: Database,
  { name, password }: SignInInput,
  origin: Origin,
  lifetime: Lifetime,
): Promise<string> {
  await countAttempt(db, name, origin.address);
  const { rows } = await db.query<{ id: number; password: string | null }>(
    'select id, password from person where name = $1 and disabled_at is null',
    [name],
  );
  const person = rows[0];
  const right = await isPassword(password, person?.password ?? null);
  if (!right || person === undefined) throw await refused(db, name);
  return await transaction(db, async (tx) => {
    // Not when the password was changed, or the person disabled, while it was looked at.
    const { rowCount } = await tx.query(
      'select from person where id = $1 and disabled_at is null and password = $2 for share',
      [person.id, person.password],
    );
    if (rowCount === 0) throw await refused(db, name);
    await forgive(tx, name, origin.address);
    await emit(tx, { kind: 'person.signed-in', data: { person: name, how: 'password' } });
    return await beginSession(tx, person.id, 'password', origin, lifetime);
  });
}

/** Sets a password by a one-time link and signs in; sessions from before are over. */
export async function welcome(
  db: Database,
  { code, password }: WelcomeInput,
  origin: Origin,
  lifetime: Lifetime,
): Promise<string> {
  if (!(await linkHolds(db, code))) throw linkClosed();
  const kept = await hashPassword(password);
  return await transaction(db, async (tx) => {
    const { id, name } = await takeLink(tx, code);
    await tx.query('update person set password = $2 where id = $1', [id, kept]);
    await endSessions(tx, id, 'password changed');
    await forgive(tx, name, origin.address);
    await emit(tx, { kind: 'person.signed-in', data: { person: name, how: 'link' } });
    return await beginSession(tx, id, 'link', origin, lifetime);
  });
}

/** Changes the own password; other sessions of the person are over. */
export async function changePassword(
  db: Database,
  person: { id: number; name: string; session: number | null },
  { current, password }: PasswordChange,
  origin: Origin,
): Promise<void> {
  await countAttempt(db, person.name, origin.address);
  const { rows } = await db.query<{ password: string | null }>('select password from person where id = $1', [
    person.id,
  ]);
  const before = rows[0]?.password ?? null;
  if (!(await isPassword(current, before)))
    throw new AutocodeError('ERR_INVALID_INPUT', 'The current password is not right.', {
      remedy: 'An admin can give you a new link: `autocode user reset NAME`.',
    });
  const kept = await hashPassword(password);
  await transaction(db, async (tx) => {
    await forgive(tx, person.name, origin.address);
    const { rowCount } = await tx.query('update person set password = $2 where id = $1 and password = $3', [
      person.id,
      kept,
      before,
    ]);
    if (rowCount === 0)
      throw new AutocodeError('ERR_CONFLICT', 'The password was changed meanwhile.', {
        remedy: 'Sign in with the new one.',
      });
    await endSessions(tx, person.id, 'password changed', person.session);
    await emit(tx, {
      kind: 'person.changed',
      data: { person: person.name, password: true, by: person.name },
    });
  });
}

// Whether there is such a person is told to the admins alone; what nobody is called may be a password in the wrong field.
async function refused(db: Queryable, name: string): Promise<AutocodeError> {
  const { rows } = await db.query<{ name: string }>('select name from person where name = $1', [name]);
  await emit(db, { kind: 'person.refused', data: { person: rows[0]?.name ?? null } });
  return new AutocodeError('ERR_UNAUTHENTICATED', 'Name or password is not right.', {
    remedy: 'Try again; an admin can give you a new link to set a password (`autocode user reset NAME`).',
  });
}
