// Which sessions and tokens still open what they opened when they were presented: asked for requests that stay open, as streams do.
// Used by the API.
import type { Identity } from '../access/tokens.ts';
import type { Queryable } from '../db/connect.ts';
import type { Lifetime } from './sessions.ts';

/** Those of them that do not any more: ended, expired, their person disabled or with other rights than then. */
export async function lapsed(
  db: Queryable,
  { idleMinutes }: Pick<Lifetime, 'idleMinutes'>,
  identities: Iterable<Identity>,
): Promise<Set<Identity>> {
  const asked = [...identities];
  const ids = (session: boolean) => [
    ...new Set(asked.filter((each) => (each.session !== undefined) === session).map(({ id }) => id)),
  ];
  const { rows } = await db.query<{ key: string }>(
    `select 's' || s.id || ':' || p.rights as key from session s join person p on p.id = s.person
     where s.id = any($2) and s.ended_at is null and s.expires_at > now() and p.disabled_at is null
       and s.last_seen_at > now() - make_interval(secs => $1::float8 * 60)
     union all
     select 't' || t.id || ':' || coalesce(p.rights, 0) from token t left join person p on p.id = t.person
     where t.id = any($3) and t.revoked_at is null and (t.expires_at is null or t.expires_at > now()) and p.disabled_at is null`,
    [idleMinutes, ids(true), ids(false)],
  );
  const holding = new Set(rows.map(({ key }) => key));
  const keyOf = ({ id, session, rights }: Identity) =>
    `${session === undefined ? 't' : 's'}${id}:${rights?.version ?? 0}`;
  return new Set(asked.filter((each) => !holding.has(keyOf(each))));
}
