// The notes of earlier runs as a run is given them, and as it leaves them. Used by the API's runner routes.
import { AutocodeError } from '../../protocol/errors.ts';
import { bytesOf, type MemoryFile, type RunMemory, type RunMemoryUpdate } from '../../protocol/memory.ts';
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { search } from '../repos/checks/secrets.ts';
import { lockRun } from '../tasks/queue.ts';
import { holdRun } from '../tasks/revive.ts';

/** Versions of a repository's notes that are kept. */
const VERSIONS = 50;
/** The lease of a run that was lost and is back with its notes. */
const RETURN_LEASE_SECONDS = 30;
const SEARCH_MS = 20_000;

/** The newest notes about each repository of the run. A run done again has none: it is to begin as the first did. */
export async function memoryOfRun(db: Queryable, run: string): Promise<RunMemory> {
  const { rows } = await db.query<RunMemory['repositories'][number] & { kept: boolean }>(
    `select p.memory and t.replay_of is null as kept, u.repository, m.version, coalesce(m.files, '[]') as files
     from run r join task t on t.id = r.task join project p on p.id = t.project
     join task_repository u on u.task = t.id
     left join lateral (select version, files from kept_memory k where k.repository = u.repository
       order by version desc limit 1) m on true
     where r.id = $1 order by u.position`,
    [run],
  );
  const kept = rows[0]?.kept ?? false;
  const repositories = kept
    ? rows.map(({ repository, version, files }) => ({ repository, version, files }))
    : [];
  return { kept, repositories };
}

/**
 * Keeps the notes about one repository, for when the run has succeeded; the new version, or null when nothing has changed.
 * ERR_STALE_FENCE when the run is not its runner's any more; ERR_CONFLICT when they were cleared meanwhile, since these stem
 * from what was cleared; ERR_INVALID_INPUT when they hold a secret. What was kept before then stays.
 */
export async function keepMemory(db: Queryable, run: string, input: RunMemoryUpdate): Promise<number | null> {
  const files = input.files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  await refuseSecrets(run, files);
  return await withinTransaction(db, async (tx) => {
    await holdRun(tx, await lockRun(tx, run), input.fence, RETURN_LEASE_SECONDS);
    const given = await memoryOfRun(tx, run);
    const now = given.repositories.find(({ repository }) => repository === input.repository);
    if (now === undefined)
      throw refused(
        `Run ${run} leaves no notes about repository ${input.repository}`,
        'None are kept of it.',
      );
    if ((await clearedAfter(tx, input.repository, input.from)) !== null)
      throw refused(
        `The notes that run ${run} was given were cleared meanwhile`,
        'What it made of them is not kept.',
      );
    if (sameFiles(now.files, files)) {
      await tx.query('delete from memory where repository = $1 and run = $2', [input.repository, run]);
      return null;
    }
    const { rows } = await tx.query<{ version: number }>(
      `insert into memory (repository, run, files, bytes) values ($1, $2, $3, $4)
       on conflict (repository, run) do update set files = excluded.files, bytes = excluded.bytes returning version`,
      [input.repository, run, JSON.stringify(files), bytesOf(files)],
    );
    await removeOld(tx, input.repository);
    return rows[0]!.version;
  });
}

async function refuseSecrets(run: string, files: MemoryFile[]): Promise<void> {
  const batch = files.map(({ path, text }) => ({ path, before: null, after: Buffer.from(text) }));
  const found = await search(batch, SEARCH_MS);
  if (found.length === 0) return;
  const told = found.slice(0, 5).map(({ path, reason }) => `${path ?? 'they'}: ${reason}`);
  throw new AutocodeError('ERR_INVALID_INPUT', `The notes of run ${run} are not kept: ${told.join('; ')}.`, {
    remedy: 'Notes come back to later runs as they are: leave secrets out of them.',
  });
}

async function clearedAfter(
  tx: Queryable,
  repository: number,
  version: number | null,
): Promise<number | null> {
  const { rows } = await tx.query<{ version: number }>(
    'select version from memory where repository = $1 and run is null and version > $2 limit 1',
    [repository, version ?? 0],
  );
  return rows[0]?.version ?? null;
}

function sameFiles(a: MemoryFile[], b: MemoryFile[]): boolean {
  return (
    a.length === b.length && a.every(({ path, text }, at) => b[at]!.path === path && b[at]!.text === text)
  );
}

// Those of runs that ended otherwise never count (a lost run may be back).
async function removeOld(tx: Queryable, repository: number): Promise<void> {
  await tx.query(
    `delete from memory m where repository = $1 and (
       version < (select version from kept_memory where repository = $1 order by version desc offset $2 limit 1)
       or exists (select from run where id = m.run and state in ('failed','cancelled','planned','out-of-time','out-of-budget')))`,
    [repository, VERSIONS - 1],
  );
}

function refused(what: string, remedy: string): AutocodeError {
  return new AutocodeError('ERR_CONFLICT', `${what}.`, { remedy });
}
