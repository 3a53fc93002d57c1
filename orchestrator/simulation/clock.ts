// A clock in place of the database's: functions that PostgreSQL finds before its own, since the product's SQL and the defaults
// of its tables name none of them with a schema. They answer what the session was told last, and are inlined, so that they cost
// nothing. Tables are still made in `public`, the first of the path. Used by database.ts and process.ts.
import type pg from 'pg';
import type { Queryable } from '../db/connect.ts';

const STANDING_IN = ['now', 'transaction_timestamp', 'statement_timestamp', 'clock_timestamp'];
const SETTING = 'virtual.now';

/** What it is now, for all sessions of a simulation. */
export interface VirtualClock {
  now: Date;
}

/** Puts the clock into a database that has no tables yet; sessions that begin later go by it. */
export async function installClock(db: Queryable, database: string): Promise<void> {
  const functions = STANDING_IN.map(
    (name) =>
      `create function virtual.${name}() returns timestamptz language sql stable
       return current_setting('${SETTING}')::timestamptz`,
  );
  await db.query(
    [
      'create schema virtual',
      ...functions,
      `alter database ${database} set ${SETTING} = '1970-01-01T00:00:00Z'`,
      `alter database ${database} set search_path = public, virtual, pg_catalog`,
    ].join(';\n'),
  );
}

/** Lets a session know the time, where it does not yet; time does not go on within a transaction. */
export function goBy(client: pg.PoolClient, clock: VirtualClock): () => Promise<unknown> | undefined {
  const query = client.query.bind(client);
  let told: Date | undefined;
  return () => {
    if (told === clock.now) return undefined;
    told = clock.now;
    const values = [told.toISOString()];
    return query({ name: 'tell-time', text: `select set_config('${SETTING}', $1, false)`, values });
  };
}
