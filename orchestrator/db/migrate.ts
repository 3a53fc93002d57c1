// Brings the database to the schema of this code: numbered SQL files, each in a transaction of its own,
// recorded with their sums. Used by main.ts at every start and by the tests.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Database, Queryable } from './connect.ts';

const DIRECTORY = join(import.meta.dirname, 'migrations');
const FILE_NAME = /^(\d{3})-[a-z0-9-]+\.sql$/;
const ADVISORY_LOCK = 4_127_001; // any constant: whoever migrates this product's database takes it

export interface Migration {
  number: number;
  name: string;
  sha256: string;
  sql: string;
}

interface Applied {
  number: number;
  name: string;
  sha256: string;
}

/** Applies what is missing, one process at a time; answers the names of the files applied now. */
export async function migrate(db: Database, directory = DIRECTORY): Promise<string[]> {
  const migrations = await readMigrations(directory);
  // A connection of its own, without the pool's statement timeout: a migration takes the time it takes.
  const client = new pg.Client({
    connectionString: db.options.connectionString,
    application_name: 'autocode migrate',
  });
  client.on('error', () => {}); // the query in flight rejects
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [ADVISORY_LOCK]);
    const pending = pendingMigrations(migrations, await readApplied(client));
    for (const migration of pending) await apply(client, migration);
    return pending.map((migration) => migration.name);
  } finally {
    await client.end();
  }
}

/** Reads the migration files in order; their numbers count 1, 2, 3 … */
export async function readMigrations(directory = DIRECTORY): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name, index) => {
      const number = Number(FILE_NAME.exec(name)?.[1]);
      if (number !== index + 1) {
        throw new AutocodeError(
          'ERR_MIGRATION',
          `The migration file ${name} does not fit: number ${index + 1} was expected.`,
          { remedy: 'Name files NNN-what-it-does.sql, numbered 001, 002 … without gaps.' },
        );
      }
      const sql = await readFile(join(directory, name), 'utf8');
      return { number, name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

// What still has to run; refuses a history that is not a prefix of the files.
function pendingMigrations(migrations: Migration[], applied: Applied[]): Migration[] {
  for (const done of applied) {
    const file = migrations[done.number - 1];
    if (done.number > migrations.length) {
      throw new AutocodeError(
        'ERR_MIGRATION',
        `The database is newer than this version of Autocode: it has ${done.name}, this version ends at ` +
          `${migrations.at(-1)?.name ?? 'none'}.`,
        { remedy: 'Run the newer version again, or restore a backup made before the upgrade.' },
      );
    }
    if (file?.name !== done.name || file.sha256 !== done.sha256) {
      throw new AutocodeError(
        'ERR_MIGRATION',
        `The migration ${done.name} was applied to this database, but the file ` +
          `${file?.name === done.name ? 'has changed since' : 'is gone'}.`,
        { remedy: 'Restore the file as it was released; a change to the schema goes into a new file.' },
      );
    }
  }
  return migrations.slice(applied.length);
}

async function readApplied(client: Queryable): Promise<Applied[]> {
  await client.query(`create table if not exists schema_migrations (
    number integer primary key, name text not null, sha256 text not null, applied_at timestamptz not null default now())`);
  const { rows } = await client.query<Applied>(
    'select number, name, sha256 from schema_migrations order by number',
  );
  return rows;
}

async function apply(client: Queryable, migration: Migration): Promise<void> {
  try {
    await client.query('begin');
    await client.query(migration.sql);
    await client.query('insert into schema_migrations (number, name, sha256) values ($1, $2, $3)', [
      migration.number,
      migration.name,
      migration.sha256,
    ]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {}); // the first error is the one to tell
    throw new AutocodeError(
      'ERR_MIGRATION',
      `The migration ${migration.name} failed and left nothing behind: ${(error as Error).message}.`,
      { remedy: 'Nothing has to be undone: correct the cause and start again.', cause: error },
    );
  }
}
