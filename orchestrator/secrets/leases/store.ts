// Leases as they are kept: what runs may use now, and what they could. Values are never here. Used by keeper.ts and the API.
import type { SecretLease } from '../../../protocol/secret-binding.ts';
import type { Database, Queryable } from '../../db/connect.ts';
import { emit } from '../../events/outbox.ts';

/** Whoever waits for a secret that is written listens here. */
export const WRITTEN = 'secret';

/** Wakes them. */
export async function announceWritten(db: Queryable, secret: string): Promise<void> {
  await db.query('select pg_notify($1, $2)', [WRITTEN, secret]);
}

/** A secret that a live run may use, and where. */
export interface Wanted {
  run: string;
  secret: string;
  uses: { rule: string; place: string; plain: boolean }[];
}

/** What is known of a lease. */
export interface Standing {
  run: string;
  secret: string;
  version: number | null;
  /** From now on; null: it is not renewed. */
  seconds: number | null;
  trouble: string | null;
}

/** A misuse, as the proxy tells it. */
export interface Misuse {
  run: string | null;
  worker: string | null;
  secret: string;
  kind: string;
  place: string;
  method: string;
  host: string;
}

/** What live runs may use. */
export async function wantedNow(db: Queryable): Promise<Wanted[]> {
  const { rows } = await db.query<Wanted>(
    `select r.id as run, b.secret, jsonb_agg(jsonb_build_object('rule', b.rule, 'place', b.place, 'plain', b.plain) order by b.id) as uses
     from run r join task t on t.id = r.task join secret_binding b on b.project is null or b.project = t.project
     where r.state in ('leased', 'preparing', 'working', 'verifying') group by r.id, b.secret order by r.id, b.secret`,
  );
  return rows;
}

/** The secrets that are bound anywhere. */
export async function boundSecrets(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ secret: string }>('select distinct secret from secret_binding');
  return rows.map(({ secret }) => secret);
}

/** Writes down what is lent, and ends what is not any more. */
export async function keepStanding(db: Queryable, standing: Standing[]): Promise<void> {
  await db.query(
    `insert into secret_lease (run, secret, version, until, trouble)
     select run, secret, version, now() + make_interval(secs => seconds), trouble
     from jsonb_to_recordset($1) as s (run text, secret text, version int, seconds float8, trouble text)
     on conflict (run, secret) do update set version = coalesce(excluded.version, secret_lease.version),
       until = coalesce(excluded.until, secret_lease.until), trouble = excluded.trouble, ended_at = null`,
    [JSON.stringify(standing)],
  );
  await db.query(
    `update secret_lease l set ended_at = now(), until = least(until, now()) where ended_at is null and not exists (
       select 1 from jsonb_to_recordset($1) as s (run text, secret text) where s.run = l.run and s.secret = l.secret)`,
    [JSON.stringify(standing)],
  );
}

/** Leases of live runs, or with `all` those of runs that have ended too; the newest first. */
export async function listLeases(
  db: Queryable,
  query: { run?: string | undefined; all: boolean; limit: number },
): Promise<SecretLease[]> {
  const { rows } = await db.query<Record<'since' | 'until' | 'endedAt', Date | null> & SecretLease>(
    `select run, secret, version, since, until, ended_at as "endedAt", trouble from secret_lease
     where ($1::text is null or run = $1) and ($2 or ended_at is null) order by since desc, run, secret limit $3`,
    [query.run ?? null, query.all, query.limit],
  );
  return rows.map((row) => ({
    ...row,
    since: (row.since as Date).toISOString(),
    until: (row.until as Date | null)?.toISOString() ?? null,
    endedAt: (row.endedAt as Date | null)?.toISOString() ?? null,
  }));
}

/** Makes an event of a misuse, once for each request. */
export async function tellMisuse(db: Database, request: string, { run, ...data }: Misuse): Promise<void> {
  const { rows } = await db.query<{ project: number; task: number; known: boolean }>(
    `select t.project::int, t.id::int as task, exists (select 1 from event where task = t.id and kind = 'secret.misused'
       and data ->> 'request' = $2) as known
     from run r join task t on t.id = r.task where r.id = $1`,
    [run, request],
  );
  const of = rows[0];
  if (of?.known) return;
  await emit(db, {
    kind: 'secret.misused',
    ...(of === undefined ? {} : { project: of.project, task: of.task, run: run! }),
    data: { request, ...data },
  });
}
