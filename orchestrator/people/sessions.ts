// Sessions of people who are signed in: begun, believed, listed, ended. Only the hash of the cookie is kept.
// Used by sign-in.ts and by the API.
import { createHmac, randomBytes } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Session } from '../../protocol/person.ts';
import { RIGHTS, type Rights } from '../access/rights.ts';
import { hashOf } from '../access/tokens.ts';
import type { SignInSettings } from '../config/sign-in-settings.ts';
import type { Queryable } from '../db/connect.ts';

export type Lifetime = Pick<SignInSettings, 'idleMinutes' | 'sessionDays'>;

/** Where a session is begun from. */
export interface Origin {
  address: string;
  userAgent: string;
}

/** A session whose cookie was presented. */
export interface OpenSession {
  id: number;
  name: string;
  rights: Rights;
  /** Whether the person has a password here. */
  password: boolean;
  expiresAt: Date;
}

const FORM = /^[\w-]{43}$/;
const USE_RECORDED_EVERY = '1 minute';
/** SQL of which sessions `s` hold; $1 is the longest pause in minutes. */
const HOLDS = `s.ended_at is null and s.expires_at > now() and s.last_seen_at > now() - make_interval(secs => $1::float8 * 60)`;

/** Begins a session; the cookie's value is in the answer and nowhere else. */
export async function beginSession(
  db: Queryable,
  person: number,
  how: Session['how'],
  { address, userAgent }: Origin,
  { sessionDays }: Lifetime,
): Promise<string> {
  const cookie = randomBytes(32).toString('base64url');
  await db.query(
    `insert into session (person, hash, how, address, user_agent, expires_at)
     values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6::float8 * 86400))`,
    [person, hashOf(cookie), how, address, userAgent.slice(0, 300), sessionDays],
  );
  return cookie;
}

/** The session of a cookie while it holds and its person is not disabled, else null; its use is noted. */
export async function openSession(
  db: Queryable,
  cookie: string,
  { idleMinutes }: Pick<Lifetime, 'idleMinutes'>,
): Promise<OpenSession | null> {
  if (!FORM.test(cookie)) return null;
  const { rows } = await db.query<OpenSession & { stale: boolean }>({
    name: 'open-session',
    text: `select s.id, p.name, ${RIGHTS} as rights, p.password is not null as password, s.expires_at as "expiresAt",
             s.last_seen_at < now() - interval '${USE_RECORDED_EVERY}' as stale
           from session s join person p on p.id = s.person
           where s.hash = $2 and p.disabled_at is null and ${HOLDS}`,
    values: [idleMinutes, hashOf(cookie)],
  });
  const found = rows[0];
  if (found === undefined) return null;
  if (found.stale) await db.query('update session set last_seen_at = now() where id = $1', [found.id]);
  return found;
}

/** What a page has to send with each change: only who has the cookie can know it, and a script of another site has not. */
export function csrfOf(cookie: string): string {
  return createHmac('sha256', cookie).update('csrf').digest('base64url');
}

/** The open sessions of a person, or of all, the last used first. */
export async function listSessions(
  db: Queryable,
  { idleMinutes }: Pick<Lifetime, 'idleMinutes'>,
  want: { person?: number | undefined; current?: number | undefined },
): Promise<Session[]> {
  const { rows } = await db.query<
    Omit<Session, 'createdAt' | 'lastSeenAt' | 'expiresAt'> & Record<'at' | 'seen' | 'until', Date>
  >(
    `select s.id, p.name as person, s.how, s.address, s.user_agent as "userAgent", s.created_at as at,
       s.last_seen_at as seen, s.expires_at as until, s.id is not distinct from $3::bigint as current
     from session s join person p on p.id = s.person
     where ${HOLDS} and ($2::bigint is null or s.person = $2) order by s.last_seen_at desc, s.id desc limit 500`,
    [idleMinutes, want.person ?? null, want.current ?? null],
  );
  return rows.map(({ at, seen, until, ...session }) => ({
    ...session,
    createdAt: at.toISOString(),
    lastSeenAt: seen.toISOString(),
    expiresAt: until.toISOString(),
  }));
}

/** Ends one session, of this person where one is named; ERR_NOT_FOUND. */
export async function endSession(
  db: Queryable,
  session: number,
  reason: string,
  person: number | null = null,
): Promise<void> {
  const { rowCount } = await db.query(
    `update session set ended_at = coalesce(ended_at, now()), end_reason = coalesce(end_reason, $2)
     where id = $1 and ($3::bigint is null or person = $3)`,
    [session, reason, person],
  );
  if (rowCount === 0)
    throw new AutocodeError('ERR_NOT_FOUND', `There is no session ${session}.`, {
      remedy: 'See `autocode user sessions`.',
    });
}

/** Ends all sessions of a person but one that may go on; how many there were. */
export async function endSessions(
  db: Queryable,
  person: number,
  reason: string,
  except: number | null = null,
): Promise<number> {
  const { rowCount } = await db.query(
    `update session set ended_at = now(), end_reason = $2
     where person = $1 and ended_at is null and id is distinct from $3::bigint`,
    [person, reason, except],
  );
  return rowCount ?? 0;
}
