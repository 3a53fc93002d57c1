// Restores a backup into an empty data directory. All of it is built below `.restoring` and moved up at the end: until
// that folder is gone no daemon starts on the directory, and a restore that was interrupted begins anew.
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import { RESTORING, clusterPath, dataDirectoryError } from '../config/data-directory.ts';
import { lockDirectory } from '../config/directory-lock.ts';
import { connect, transaction } from '../db/connect.ts';
import type { Queryable } from '../db/connect.ts';
import { startPostgres } from '../db/supervisor.ts';
import { DUMP, FILES, unpackArchive } from './archive.ts';
import type { Manifest } from './archive.ts';
import { restoreDatabase } from './dump.ts';

export interface RestoreOptions {
  file: string;
  dataDir: string;
  databaseUrl?: string | undefined; // an empty database elsewhere, instead of the own server
}

export interface RestoreSummary {
  createdAt: string; // of the backup
  files: number;
  lostRuns: number; // live at that time: they count as lost and are retried
}

/** Checks the archive, then restores it; fails without a trace, or is interrupted visibly. */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreSummary> {
  const { file, dataDir, databaseUrl } = options;
  if (!existsSync(file))
    throw new AutocodeError('ERR_BACKUP', `There is no file ${file}.`, {
      remedy: 'Correct the path of the archive.',
    });
  await mkdir(dataDir, { recursive: true }).catch((error: unknown) => {
    throw dataDirectoryError(dataDir, error);
  });
  const lock = await lockDirectory(dataDir, 'restore');
  const workplace = join(dataDir, RESTORING);
  try {
    await requireEmpty(dataDir);
    await mkdir(workplace, { mode: 0o711 }); // PostgreSQL's user may have to pass through
    const unpacked = join(workplace, 'unpacked');
    const manifest = await unpackArchive(file, unpacked);
    const lostRuns = await fillDatabase(join(unpacked, DUMP), manifest, options);
    await moveUp(join(unpacked, FILES), dataDir);
    if (databaseUrl === undefined) await rename(join(workplace, 'postgres'), join(dataDir, 'postgres'));
    await rm(workplace, { recursive: true });
    return { createdAt: manifest.createdAt, files: manifest.files.length, lostRuns };
  } catch (error) {
    // A failure, unlike a kill, leaves the directory as empty as it was.
    if (existsSync(workplace)) await clear(dataDir);
    throw error instanceof AutocodeError ? error : dataDirectoryError(dataDir, error);
  } finally {
    await lock.release();
  }
}

async function requireEmpty(dataDir: string): Promise<void> {
  const names = (await readdir(dataDir)).filter((name) => name !== 'lost+found');
  if (names.includes(RESTORING)) return await clear(dataDir); // an interrupted restore: it found the directory empty
  if (names.length === 0) return;
  throw new AutocodeError('ERR_BACKUP', `${dataDir} is not empty (${names.slice(0, 3).join(', ')}).`, {
    remedy: 'Restore into an empty directory: name another with `--set dataDir=PATH`, or move this one away.',
  });
}

async function clear(dataDir: string): Promise<void> {
  const names = (await readdir(dataDir)).filter((name) => name !== 'lost+found' && name !== RESTORING);
  // The mark goes last: killed in between, the next restore still knows what is left here.
  for (const name of [...names, RESTORING]) await rm(join(dataDir, name), { recursive: true, force: true });
}

async function moveUp(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) await rename(join(from, name), join(to, name));
}

async function fillDatabase(dump: string, manifest: Manifest, options: RestoreOptions): Promise<number> {
  const cluster = clusterPath(join(options.dataDir, RESTORING));
  const postgres = await startPostgres({ url: options.databaseUrl, cluster });
  const db = connect({ url: postgres.url, poolSize: 2 });
  try {
    const tables = await db.query(`select from pg_tables where schemaname = 'public'`);
    if (tables.rowCount !== 0) {
      throw new AutocodeError('ERR_BACKUP', 'The database to restore into is not empty.', {
        remedy: 'Make a new database and name it in database.url or DATABASE_URL.',
      });
    }
    await restoreDatabase(postgres.url, dump);
    return await transaction(db, (tx) => beginAnew(tx, manifest.dataDir, options.dataDir));
  } finally {
    await db.end();
    await postgres.stop();
  }
}

// The database is as it was at the backup; the world is not. Workers that still have runs of that time must give them
// up: they belong to another installation, their tokens open nothing, and the sweep finds their leases expired.
async function beginAnew(tx: Queryable, oldDataDir: string, newDataDir: string): Promise<number> {
  await tx.query(`update event set xid = '0'`); // a cursor's xid is of the old cluster
  await tx.query('update installation set id = gen_random_uuid()');
  await tx.query('update session set ended_at = now() where ended_at is null'); // some were ended since
  await tx.query(`update token set revoked_at = now() where run is not null and revoked_at is null`);
  await tx.query(
    `update repository set origin = $2 || substr(origin, length($1) + 1) where hosted and starts_with(origin, $1 || '/')`,
    [oldDataDir, newDataDir],
  );
  const live = await tx.query(
    `update run set lease_until = 'epoch' where state in ('leased', 'preparing', 'working', 'verifying')`,
  );
  return live.rowCount ?? 0;
}
