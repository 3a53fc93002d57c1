// Keys of people and services for the gateway: an editor, a script, a person at a terminal. They are tokens that open
// /v1/* there and nothing else; only their hashes are kept. Used by the API; the gateway reads them itself.
import { randomBytes } from 'node:crypto';
import type { Key, KeyInput, NewKey } from '../../protocol/access.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Queryable } from '../db/connect.ts';
import { hashOf } from './tokens.ts';

const SELECT = `select token.*, p.name as project_name from token left join project p on p.id = token.project
  where token.kind is not null`;

interface KeyRow {
  id: number;
  name: string;
  kind: Key['kind'];
  models: string[];
  external: boolean;
  project_name: string | null;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

/** Makes a key; its text is in the answer and nowhere else. */
export async function createKey(db: Queryable, input: KeyInput): Promise<NewKey> {
  const key = `ac_gateway_${randomBytes(32).toString('base64url')}`;
  const { rows } = await db.query<{ id: number }>(
    `insert into token (name, role, kind, hash, models, external, project, expires_at)
     select $1, 'gateway', $2, $3, $4, $5, p.id, now() + make_interval(secs => $7)
     from (select 1) as one left join project p on p.name = $6 and p.archived_at is null
     where $6::text is null or p.id is not null returning id`,
    [
      input.name,
      input.kind,
      hashOf(key),
      JSON.stringify(input.models),
      input.external,
      input.project ?? null,
      input.expiresInDays === undefined ? null : input.expiresInDays * 86_400,
    ],
  );
  if (rows[0] === undefined) {
    throw new AutocodeError('ERR_NOT_FOUND', `There is no project ${input.project}.`, {
      remedy: 'See `autocode project list`, or leave the project out.',
    });
  }
  return { ...(await oneKey(db, rows[0].id)), key };
}

/** All keys of people and services, without their text. */
export async function listKeys(db: Queryable): Promise<Key[]> {
  const { rows } = await db.query<KeyRow>(`${SELECT} order by token.id`);
  return rows.map(shown);
}

/** Ends a key; the gateway refuses it within two seconds. */
export async function revokeKey(db: Queryable, id: number): Promise<Key> {
  await db.query(
    `update token set revoked_at = coalesce(revoked_at, now()) where id = $1 and kind is not null`,
    [id],
  );
  return await oneKey(db, id);
}

async function oneKey(db: Queryable, id: number): Promise<Key> {
  const { rows } = await db.query<KeyRow>(`${SELECT} and token.id = $1`, [id]);
  if (rows[0] === undefined)
    throw new AutocodeError('ERR_NOT_FOUND', `There is no key ${id}.`, {
      remedy: 'See `autocode key list`.',
    });
  return shown(rows[0]);
}

function shown(row: KeyRow): Key {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    models: row.models,
    external: row.external,
    project: row.project_name,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
  };
}
