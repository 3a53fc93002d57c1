// Environments as they are kept: a row a version, an archive a digest in `<dataDir>/environments/`. The newest version of a name
// holds; an archive stays while a name or a live run has it. Used by the API and the daily pruning.
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { HOST_ENVIRONMENT, type Environment } from '../../../protocol/environment.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Queryable } from '../../db/connect.ts';
import { withinTransaction } from '../../db/within-transaction.ts';
import { syncDirectory } from '../../config/atomic-file.ts';
import { receiveArchive, RECEIVING } from './receive.ts';

export interface EnvironmentStore {
  db: Queryable;
  /** Of the archives. */
  directory: string;
  maxBytes: number;
  stopping: AbortSignal;
}

export interface Import {
  name: string;
  source: string;
  actor: string;
}

const SELECT = `select e.name, e.digest, e.bytes::float8 as bytes, e.archive::float8 as "archiveBytes", e.files, e.source,
    e.created_by as "createdBy", e.created_at as "createdAt",
    array(select p.name from project p where p.environment = e.name and p.archived_at is null order by p.name) as projects
  from current_environment e`;
/** What a live run has is kept: it may still be to fetch. */
const LIVE = `('leased', 'preparing', 'working', 'verifying')`;
/** A file that nobody has written to for so long was left by a crash. */
const LEFT_MS = 60 * 60_000;

/** Where the archive of a digest is. */
export function archivePath(directory: string, digest: string): string {
  return join(directory, `${digest}.tar.zst`);
}

/** Takes an archive in as the newest version of a name. */
export async function importEnvironment(
  store: EnvironmentStore,
  { name, source, actor }: Import,
  body: Readable,
): Promise<Environment> {
  if (name === HOST_ENVIRONMENT)
    throw new AutocodeError('ERR_INVALID_INPUT', `${name} means the programs of the worker's machine.`, {
      remedy: 'Choose another name.',
    });
  const { db, directory, maxBytes, stopping } = store;
  const { file, digest, bytes, archiveBytes, files } = await receiveArchive(body, {
    directory,
    maxBytes,
    signal: stopping,
  });
  try {
    await withinTransaction(db, async (tx) => {
      await holdArchives(tx);
      await rename(file, archivePath(directory, digest));
      await syncDirectory(directory);
      await tx.query(
        `insert into environment (name, digest, bytes, archive, files, source, created_by) values ($1, $2, $3, $4, $5, $6, $7)`,
        [name, digest, bytes, archiveBytes, files, source, actor],
      );
    });
  } finally {
    await rm(file, { force: true });
  }
  await pruneEnvironments(store);
  return await getEnvironment(db, name);
}

/** All of them, by name. */
export async function listEnvironments(db: Queryable): Promise<Environment[]> {
  const { rows } = await db.query<Row>(`${SELECT} order by e.name`);
  return rows.map(shown);
}

/** ERR_NOT_FOUND names those that there are. */
export async function getEnvironment(db: Queryable, name: string): Promise<Environment> {
  const { rows } = await db.query<Row>(`${SELECT} where e.name = $1`, [name]);
  if (rows[0] !== undefined) return shown(rows[0]);
  const known = (await listEnvironments(db)).map((each) => each.name);
  throw new AutocodeError('ERR_NOT_FOUND', `There is no environment ${name}.`, {
    remedy:
      known.length === 0
        ? 'There is none yet; make one with `autocode environment import NAME PATH`.'
        : `Did you mean ${known.join(', ')}?`,
  });
}

/** Takes a name out of use; refused while a project names it. */
export async function removeEnvironment(store: EnvironmentStore, name: string): Promise<Environment> {
  const environment = await getEnvironment(store.db, name);
  if (environment.projects.length > 0)
    throw new AutocodeError(
      'ERR_CONFLICT',
      `Environment ${name} is that of ${environment.projects.join(', ')}.`,
      { remedy: 'Give these another one first: `autocode project set PROJECT --environment NAME`.' },
    );
  await store.db.query('update environment set removed_at = now() where name = $1 and removed_at is null', [
    name,
  ]);
  await pruneEnvironments(store);
  return environment;
}

/** Removes archives that no name and no live run has, and what imports that were cut off have left. Answers how many. */
export async function pruneEnvironments({
  db,
  directory,
}: Pick<EnvironmentStore, 'db' | 'directory'>): Promise<number> {
  return await withinTransaction(db, async (tx) => {
    await holdArchives(tx);
    const { rows } = await tx.query<{ digest: string }>(
      `select digest from current_environment
       union select environment_digest from run where environment_digest is not null and state in ${LIVE}`,
    );
    const kept = new Set(rows.map(({ digest }) => archivePath('', digest)));
    let removed = 0;
    for (const name of await readdir(directory)) {
      if (kept.has(name) || (name.startsWith(RECEIVING) && !(await isLeft(join(directory, name))))) continue;
      await rm(join(directory, name), { force: true });
      removed += 1;
    }
    return removed;
  });
}

// Nobody takes one in, and no run is given one, meanwhile.
async function holdArchives(tx: Queryable): Promise<void> {
  await tx.query('lock table environment in share row exclusive mode');
}

async function isLeft(file: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(file)).mtimeMs > LEFT_MS;
  } catch {
    return false; // it has just become an archive
  }
}

type Row = Omit<Environment, 'createdAt'> & { createdAt: Date };

function shown(row: Row): Environment {
  return { ...row, createdAt: row.createdAt.toISOString() };
}
