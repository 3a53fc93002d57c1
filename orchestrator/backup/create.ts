// Makes a backup: the database at one moment, then the files, which are never behind it. The daemon goes on meanwhile.
// Used by the CLI.
import { existsSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import { clusterPath, dataDirectoryError, openDataDirectory } from '../config/data-directory.ts';
import { lockDirectory } from '../config/directory-lock.ts';
import { connect } from '../db/connect.ts';
import { withPostgres } from '../db/with-postgres.ts';
import { DUMP, FILES, packArchive } from './archive.ts';
import { copyTree } from './copy-files.ts';
import { dumpDatabase } from './dump.ts';

// What cannot be fetched or computed again. Secrets stay sealed, but their key is among them.
const KEPT = [
  'config',
  'secrets',
  'tls',
  'logs/worker',
  'financial',
  'environments',
  'worker-artifacts/generated',
  'worker-artifacts/results',
];
const REPOSITORIES = 'worker-artifacts/projects';
const STAGING = '.staging';
const OF_A_WRITE_UNDER_WAY = /\.lock$|\.git(\.\d+)?\.new$|^\.receiving-/; // by git, or of an import

export interface BackupOptions {
  dataDir: string;
  databaseUrl?: string | undefined; // of a server that is not ours
  file?: string | undefined; // in the data directory's `backups` when left out
}

export interface BackupSummary {
  file: string;
  bytes: number;
  files: number;
  createdAt: string;
}

/** Writes the archive; it holds everything that `restoreBackup` needs, the key of the secrets too. */
export async function createBackup(options: BackupOptions): Promise<BackupSummary> {
  const directory = openDataDirectory(options.dataDir);
  const backups = directory.path('backups');
  const file = resolve(options.file ?? join(backups, `autocode-${timestamp()}.tar.gz`));
  if (existsSync(file)) {
    throw new AutocodeError('ERR_BACKUP', `${file} exists already.`, {
      remedy: 'Name another file, or remove that one.',
    });
  }
  const cluster = clusterPath(directory.root);
  if (options.databaseUrl === undefined && !existsSync(join(cluster, 'PG_VERSION'))) {
    throw new AutocodeError(
      'ERR_BACKUP',
      `${directory.root} holds no database: nothing is there to back up.`,
      {
        remedy: 'Name the right data directory with `--set dataDir=PATH`.',
      },
    );
  }
  const lock = await lockDirectory(backups, 'backup');
  const staging = join(backups, STAGING);
  try {
    await rm(staging, { recursive: true, force: true }); // of a backup that was killed
    await mkdir(join(staging, FILES), { recursive: true, mode: 0o700 });
    const schema = await withPostgres({ url: options.databaseUrl, cluster }, async (url) => {
      await dumpDatabase(url, join(staging, DUMP));
      return await newestMigration(url);
    });
    await copyKept(directory.root, join(staging, FILES));
    const manifest = await packArchive(staging, { dataDir: directory.root, schema }, file);
    return {
      file,
      bytes: (await stat(file)).size,
      files: manifest.files.length,
      createdAt: manifest.createdAt,
    };
  } catch (error) {
    throw error instanceof AutocodeError ? error : dataDirectoryError(staging, error);
  } finally {
    await rm(staging, { recursive: true, force: true });
    await lock.release();
  }
}

async function copyKept(root: string, target: string): Promise<void> {
  for (const name of [...KEPT, REPOSITORIES]) {
    if (!existsSync(join(root, name))) continue;
    await copyTree(
      join(root, name),
      join(target, name),
      name === REPOSITORIES || name === 'environments' ? OF_A_WRITE_UNDER_WAY : undefined,
    );
  }
}

async function newestMigration(url: string): Promise<string> {
  const db = connect({ url, poolSize: 1 });
  try {
    const { rows } = await db.query<{ name: string }>(
      'select name from schema_migrations order by number desc limit 1',
    );
    return rows[0]?.name ?? '';
  } finally {
    await db.end();
  }
}

function timestamp(): string {
  return new Date().toISOString().replaceAll(/[:.]/g, '-').slice(0, 19);
}
