// A database for one simulation, beside the installation's: made, brought to the schema under its own clock, dropped at the end.
// A connection to it is held all the time, by which what a killed simulation left is told from what another one uses.
// Used by the verb, the benchmark and the tests.
import { randomBytes } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';
import { connect, sqlState } from '../db/connect.ts';
import type { Queryable } from '../db/connect.ts';
import { migrate } from '../db/migrate.ts';
import { installClock } from './clock.ts';

const PREFIX = 'autocode_simulation_';
const NOT_ALLOWED = '42501';
const IN_USE = '55006';
const GONE = '3D000';
/** One that is made has its connection by then. */
const YOUNG_SECONDS = 60;

/** Calls `work` with the address of such a database on the server of `url`. */
export async function withSimulationDatabase<T>(url: string, work: (url: string) => Promise<T>): Promise<T> {
  const server = connect({ url, poolSize: 1, applicationName: 'autocode simulation' });
  const name = `${PREFIX}${Math.floor(Date.now() / 1000)}_${randomBytes(4).toString('hex')}`;
  try {
    await dropLeftovers(server);
    await create(server, name);
    try {
      return await inDatabase(addressOf(url, name), name, work);
    } finally {
      await server.query(`drop database ${name} with (force)`);
    }
  } finally {
    await server.end();
  }
}

async function dropLeftovers(server: Queryable): Promise<void> {
  const { rows } = await server.query<{ name: string }>(
    `select datname as name from pg_database where starts_with(datname, $1)
       and split_part(substr(datname, length($1) + 1), '_', 1)::bigint < $2`,
    [PREFIX, Math.floor(Date.now() / 1000) - YOUNG_SECONDS],
  );
  for (const { name } of rows) {
    await server.query(`drop database ${name}`).catch((error: unknown) => {
      if (![IN_USE, GONE].includes(sqlState(error))) throw error;
    });
  }
}

async function create(server: Queryable, name: string): Promise<void> {
  try {
    await server.query(`create database ${name} template template0`);
  } catch (cause) {
    if (sqlState(cause) !== NOT_ALLOWED) throw cause;
    throw new AutocodeError('ERR_DATABASE', 'The user of the database may not make databases.', {
      remedy: 'Let it (`alter role … createdb`), or simulate at another server: `--set database.url=…`.',
      cause,
    });
  }
}

async function inDatabase<T>(url: string, name: string, work: (url: string) => Promise<T>): Promise<T> {
  const db = connect({ url, poolSize: 1 });
  const held = await db.connect();
  try {
    await installClock(held, name);
    await held.query(`alter database ${name} set synchronous_commit = off`);
    const fresh = connect({ url, poolSize: 1 });
    await migrate(fresh).finally(async () => await fresh.end());
    return await work(url);
  } finally {
    held.release();
    await db.end();
  }
}

function addressOf(url: string, database: string): string {
  const [before, options] = url.split(/(?=\?)/);
  return `${before!.replace(/^([a-z]+:\/\/[^/]*).*$/, '$1')}/${database}${options ?? ''}`;
}
