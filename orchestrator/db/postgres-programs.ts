// Finds the PostgreSQL programs: the bundled ones first, then the system's. Used by the supervisor and by backups.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AutocodeError } from '../../protocol/errors.ts';

const BUNDLED = join(import.meta.dirname, '../../.runtime/postgres');
const OLDEST_MAJOR = 15;

/** The environment of every PostgreSQL program: nothing of the daemon's own. */
export const POSTGRES_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', HOME: '/' };

export interface PostgresPrograms {
  root: string; // bin/, lib/ and share/ are below
  major: number;
}

/** The installation to use for a program; with `root` no other is looked for. */
export async function findPostgres(root?: string, program = 'postgres'): Promise<PostgresPrograms> {
  const candidates = root === undefined ? [BUNDLED, ...(await systemInstallations())] : [root];
  for (const candidate of candidates) {
    const major = await majorVersion(candidate, program);
    if (major !== undefined && major >= OLDEST_MAJOR) return { root: candidate, major };
  }
  throw new AutocodeError(
    'ERR_DATABASE',
    `No \`${program}\` of PostgreSQL ${OLDEST_MAJOR} or newer was found (looked in ${candidates.join(', ')}).`,
    { remedy: 'Run `./autocode setup` to get the bundled one, install `postgresql`, or set DATABASE_URL.' },
  );
}

async function systemInstallations(): Promise<string[]> {
  const debian = await readdir('/usr/lib/postgresql').catch(() => []);
  const versions = debian
    .sort((a, b) => Number(b) - Number(a))
    .map((major) => join('/usr/lib/postgresql', major));
  return [...versions, '/usr/local', '/usr'];
}

async function majorVersion(root: string, program: string): Promise<number | undefined> {
  const path = join(root, 'bin', program);
  if (!existsSync(path)) return undefined;
  const { stdout } = await promisify(execFile)(path, ['--version'], { env: POSTGRES_ENVIRONMENT });
  const major = /PostgreSQL\) (\d+)/.exec(stdout)?.[1];
  return major === undefined ? undefined : Number(major);
}
