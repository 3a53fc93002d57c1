// The database files on disk: made by initdb in one step that either happened or did not, and checked for their version.
// Used by the supervisor.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AutocodeError } from '../../protocol/errors.ts';
import { POSTGRES_ENVIRONMENT } from './postgres-programs.ts';
import type { PostgresPrograms } from './postgres-programs.ts';
import { giveDirectory, postgresCommand } from './postgres-user.ts';
import type { PostgresPlaces, PostgresUser } from './postgres-user.ts';

/** Makes the cluster when there is none, and refuses one that these programs cannot open. */
export async function ensureCluster(
  programs: PostgresPrograms,
  places: PostgresPlaces,
  user: PostgresUser,
  { durable }: { durable: boolean },
): Promise<void> {
  const { cluster } = places;
  if (existsSync(join(cluster, 'PG_VERSION'))) return checkVersion(cluster, programs);
  if (existsSync(cluster) && readdirSync(cluster).length > 0) {
    throw new AutocodeError('ERR_DATABASE', `${cluster} holds files, but no PostgreSQL database.`, {
      remedy: 'Move them away, or restore a backup with `autocode backup restore`.',
    });
  }
  await initialise(programs, places, user, { durable });
}

// initdb writes PG_VERSION early: an interrupted one is told from a whole one by the directory's name.
async function initialise(
  programs: PostgresPrograms,
  places: PostgresPlaces,
  user: PostgresUser,
  { durable }: { durable: boolean },
): Promise<void> {
  const unfinished = `${places.cluster}.initialising`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(dirname(unfinished), { recursive: true });
  giveDirectory(unfinished, user);
  const locale =
    programs.major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : ['--locale=C'];
  const sync = durable ? [] : ['--no-sync'];
  const options = [
    '--auth=trust',
    '--encoding=UTF8',
    '--data-checksums',
    '--no-instructions',
    ...locale,
    ...sync,
  ];
  const command = postgresCommand(user, { ...places, cluster: unfinished }, 'initdb', (cluster) => [
    '-D',
    cluster,
    '-U',
    'autocode',
    ...options,
  ]);
  try {
    await promisify(execFile)(command.file, command.args, { env: POSTGRES_ENVIRONMENT, cwd: '/' });
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw postgresError(
      'initdb could not make the database',
      (error as { stderr?: string }).stderr ?? '',
      error,
    );
  }
  renameSync(unfinished, places.cluster);
}

function checkVersion(cluster: string, programs: PostgresPrograms): void {
  const major = Number(readFileSync(join(cluster, 'PG_VERSION'), 'utf8'));
  if (major === programs.major) return;
  throw new AutocodeError(
    'ERR_DATABASE',
    `${cluster} was made by PostgreSQL ${major}; the one at hand (${programs.root}) is ${programs.major}.`,
    {
      remedy:
        `Make PostgreSQL ${major} available and take a backup with it, or restore a backup into a fresh data directory ` +
        'with `autocode backup restore`.',
    },
  );
}

/** Turns what a PostgreSQL program printed into an error that says what to do. */
export function postgresError(what: string, output: string, cause?: unknown): AutocodeError {
  const detail = output.trim().split('\n').slice(-4).join('; ').slice(-600) || 'it printed nothing';
  if (/No space left on device|Disk quota exceeded/.test(output)) {
    return new AutocodeError('ERR_DISK_FULL', `${what}: the disk is full (${detail}).`, {
      remedy: 'Free some space on the disk of the data directory and start again; nothing is lost.',
      cause,
    });
  }
  const remedy =
    REMEDIES.find(([said]) => said.test(output))?.[1] ??
    'The log of the orchestrator has all that PostgreSQL said.';
  return new AutocodeError('ERR_DATABASE', `${what}: ${detail}.`, { remedy, cause });
}

const REMEDIES: [RegExp, string][] = [
  [
    /Permission denied/,
    'Where Autocode is root, PostgreSQL runs as a user of its own: put the data directory where that user can reach it.',
  ],
  [/could not look up effective user ID/, 'Run as a user that /etc/passwd knows, or set DATABASE_URL.'],
];
