// Tokens of the API, of workers, of runs and of the gateway. Only their hashes are stored.
// A run's two tokens are derived from the server key, so that a repeated claim hands out the same ones.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { NewToken, Role, Token, TokenInput } from '../../protocol/access.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Queryable } from '../db/connect.ts';
import { cappedAt, RIGHTS, type Rights } from './rights.ts';

/** Who asks: whom a verified token, or a session, speaks for. */
export interface Identity {
  id: number;
  name: string;
  /** For people what they may do where they ask; it is decided with each request. */
  role: Role;
  /** The run, for roles `run` and `gateway`. */
  run: string | null;
  /** Of the person who asks, or whose token it is. */
  rights?: Rights;
  /** Present where a cookie was presented, not a token: when its session ends. */
  session?: { expiresAt: Date; password: boolean };
}

/** The two tokens of a run: one for its own API calls, one that opens /v1/* at the gateway. */
export interface RunTokens {
  runToken: string;
  gatewayKey: string;
}

const USE_RECORDED_EVERY = '1 minute';
/** What does not look like a token is none; the database need not be asked. */
const FORM = /^ac_[a-z]+_[\w-]{43}$/;

/** Makes a token for a service, or one that belongs to a person; its text is in the answer and nowhere else. */
export async function createToken(
  db: Queryable,
  input: TokenInput & { person?: number },
  token = `ac_${input.role}_${randomBytes(32).toString('base64url')}`,
): Promise<NewToken> {
  const { rows } = await db.query(
    `insert into token (name, role, hash, expires_at, person)
     values ($1, $2, $3, now() + make_interval(secs => $4), $5) returning *`,
    [
      input.name,
      input.role,
      hashOf(token),
      input.expiresInDays === undefined ? null : input.expiresInDays * 86_400,
      input.person ?? null,
    ],
  );
  return { ...shown(rows[0]), token };
}

/** Keeps exactly one live token under a name; used for the files that the daemon leaves for its own CLI and worker. */
export async function replaceToken(db: Queryable, input: TokenInput, token?: string): Promise<NewToken> {
  await db.query(`update token set revoked_at = now() where name = $1 and role = $2 and revoked_at is null`, [
    input.name,
    input.role,
  ]);
  return await createToken(db, input, token);
}

/** Who the token speaks for, or null when it is unknown, revoked or expired. */
export async function verifyToken(db: Queryable, token: string): Promise<Identity | null> {
  if (!FORM.test(token)) return null;
  const { rows } = await db.query({
    name: 'verify-token',
    text: `select t.id, coalesce(p.name, t.name) as name, t.role, t.run, case when p.id is not null then ${RIGHTS} end as rights,
             t.last_used_at is null or t.last_used_at < now() - interval '${USE_RECORDED_EVERY}' as stale
           from token t left join person p on p.id = t.person
           where t.hash = $1 and t.revoked_at is null and (t.expires_at is null or t.expires_at > now()) and p.disabled_at is null`,
    values: [hashOf(token)],
  });
  const found = rows[0];
  if (found === undefined) return null;
  if (found.stale) await db.query(`update token set last_used_at = now() where id = $1`, [found.id]);
  const identity = { id: found.id, name: found.name, role: found.role, run: found.run };
  return found.rights === null ? identity : { ...identity, rights: cappedAt(found.role, found.rights) };
}

/** Ends a token at once; only one of this person where one is named. */
export async function revokeToken(db: Queryable, id: number, person?: number): Promise<Token> {
  const { rows } = await db.query(
    `update token set revoked_at = coalesce(revoked_at, now())
     where id = $1 and kind is null and ($2::bigint is null or person = $2) returning *`,
    [id, person ?? null],
  );
  if (rows[0] === undefined) {
    throw new AutocodeError('ERR_NOT_FOUND', `There is no token ${id}.`, {
      remedy: 'See `autocode token list`.',
    });
  }
  return shown(rows[0]);
}

/** Tokens of people, services and workers, or of one person; those of runs come and go with the runs. */
export async function listTokens(db: Queryable, person?: number): Promise<Token[]> {
  const { rows } = await db.query(
    `select * from token where run is null and kind is null and ($1::bigint is null or person = $1) order by id`,
    [person ?? null],
  );
  return rows.map(shown);
}

/** Derives and stores the tokens of a run; called inside the claim's transaction, any number of times. */
export function runTokens(serverKey: Buffer): (db: Queryable, run: string) => Promise<RunTokens> {
  const derive = (role: Role, run: string) =>
    `ac_${role}_${createHmac('sha256', serverKey).update(`${role}:${run}`).digest('base64url')}`;
  return async (db, run) => {
    const tokens = { runToken: derive('run', run), gatewayKey: derive('gateway', run) };
    await db.query(
      `insert into token (name, role, hash, run) values ($1, 'run', $2, $1), ($1, 'gateway', $3, $1) on conflict (hash) do nothing`,
      [run, hashOf(tokens.runToken), hashOf(tokens.gatewayKey)],
    );
    return tokens;
  };
}

/** What is stored of a token: tokens carry 256 random bits, so a plain SHA-256 suffices. */
export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

interface TokenRow {
  id: number;
  name: string;
  role: Role;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

function shown(row: TokenRow): Token {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
  };
}
