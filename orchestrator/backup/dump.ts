// The database as one file, and back. Used by create.ts and restore.ts.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { AutocodeError } from '../../protocol/errors.ts';
import { POSTGRES_ENVIRONMENT, findPostgres } from '../db/postgres-programs.ts';

/** Writes a consistent dump (pg_dump's custom format) of the whole database. */
export async function dumpDatabase(url: string, file: string): Promise<void> {
  await runClient('pg_dump', url, ['--format=custom', '--no-owner', '--no-privileges', '--file', file]);
}

/** Fills an empty database from a dump, wholly or not at all. */
export async function restoreDatabase(url: string, file: string): Promise<void> {
  const target = ['--dbname', connectionOf(url).database ?? '', file];
  await runClient('pg_restore', url, [
    '--single-transaction',
    '--exit-on-error',
    '--no-owner',
    '--no-privileges',
    ...target,
  ]);
}

async function runClient(program: string, url: string, args: string[]): Promise<void> {
  const { root } = await findPostgres(undefined, program);
  try {
    await promisify(execFile)(join(root, 'bin', program), args, {
      env: clientEnvironment(url),
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n').slice(-3).join('; ') ?? '';
    throw new AutocodeError('ERR_BACKUP', `${program} failed: ${said || (error as Error).message}.`, {
      remedy: /No space left/.test(said)
        ? 'Free some space and try again.'
        : 'See that the database runs, then try again.',
      cause: error,
    });
  }
}

// By environment: a password in the arguments could be read by every user of the machine.
function clientEnvironment(url: string): NodeJS.ProcessEnv {
  const { host, port, user, database, password } = connectionOf(url);
  const parameters = new URLSearchParams(url.split('?')[1] ?? '');
  const sslMode = parameters.get('sslmode');
  const certificate = parameters.get('sslrootcert');
  return {
    ...POSTGRES_ENVIRONMENT,
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user ?? '',
    PGDATABASE: database ?? '',
    PGAPPNAME: 'autocode backup',
    ...(password ? { PGPASSWORD: password } : {}),
    ...(sslMode === null ? {} : { PGSSLMODE: sslMode }),
    ...(certificate === null ? {} : { PGSSLROOTCERT: certificate }),
  };
}

// The driver takes the address apart; nothing is connected.
function connectionOf(url: string): Pick<pg.Client, 'host' | 'port' | 'user' | 'database' | 'password'> {
  return new pg.Client({ connectionString: url });
}
