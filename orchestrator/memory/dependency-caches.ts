// Caches of dependencies that workers keep between the runs of a repository. The files stay with the worker; here is which
// version of them counts, so that none of a failed run or from before a clearing is ever used. Used by the API.
import type {
  DependencyCache,
  RunDependencies,
  RunDependenciesUpdate,
} from '../../protocol/dependency-cache.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { emit } from '../events/outbox.ts';
import { getProject } from '../tasks/projects.ts';
import { lockProject, lockRun } from '../tasks/queue.ts';
import { repositoryNamed } from '../tasks/repositories.ts';
import { holdRun } from '../tasks/revive.ts';

/** The lease of a run that was lost and is back with its caches. */
const RETURN_LEASE_SECONDS = 30;

/** What a run may use. Those of its first repository: one run at a time works there. A run done again is given none. */
export async function dependenciesOfRun(db: Queryable, run: string): Promise<RunDependencies> {
  const { rows } = await db.query<RunDependencies>(
    `select p.dependency_caches and t.replay_of is null as kept, f.id as repository, f.caches_generation as generation,
       array(select k.run from kept_dependency_cache k where k.repository = f.id order by k.at desc, k.run) as versions
     from run r join task t on t.id = r.task join project p on p.id = t.project
     join task_repository u on u.task = t.id join repository f on f.id = u.repository
     where r.id = $1 order by u.position limit 1`,
    [run],
  );
  const found = rows[0];
  if (found === undefined) throw new AutocodeError('ERR_NOT_FOUND', `There is no run ${run}.`);
  return found.kept ? found : { ...found, versions: [] };
}

/**
 * Notes that the run's worker has a version of the caches from this run, for when the run has succeeded. ERR_STALE_FENCE when the
 * run is not its runner's any more; ERR_CONFLICT when none are kept, or they were cleared meanwhile: these stem from what was cleared.
 */
export async function keepDependencies(
  db: Queryable,
  run: string,
  { fence, generation, kind, bytes }: RunDependenciesUpdate,
): Promise<void> {
  await withinTransaction(db, async (tx) => {
    await holdRun(tx, await lockRun(tx, run), fence, RETURN_LEASE_SECONDS);
    const now = await dependenciesOfRun(tx, run);
    if (!now.kept) throw refused(`Run ${run} leaves no caches of dependencies`);
    if (now.generation !== generation)
      throw refused(`The caches of dependencies that run ${run} was given were cleared meanwhile`);
    await tx.query(
      `insert into dependency_cache (run, repository, generation, kind, bytes) values ($1, $2, $3, $4, $5)
       on conflict (run) do update set kind = excluded.kind, bytes = excluded.bytes, at = now()`,
      [run, now.repository, generation, kind, bytes],
    );
    await removeOlder(tx, run, now.repository, kind);
  });
}

// All that the worker had before the last one that counts; that one stays for when this run fails.
async function removeOlder(tx: Queryable, run: string, repository: number, kind: string): Promise<void> {
  await tx.query(
    `with own as (select worker from run where id = $1)
     delete from dependency_cache d using run r, own
     where d.repository = $2 and d.kind = $3 and r.id = d.run and r.worker = own.worker and d.run <> $1
       and d.run is distinct from (select k.run from kept_dependency_cache k
         where k.repository = $2 and k.kind = $3 and k.worker = own.worker order by k.at desc limit 1)`,
    [run, repository, kind],
  );
}

/** The caches of a project's repositories as workers have told of them. */
export async function listDependencyCaches(
  db: Queryable,
  project: string,
  repository?: string,
): Promise<DependencyCache[]> {
  const { rows } = await db.query<Omit<DependencyCache, 'at'> & { at: Date }>(
    `select distinct on (p.name, k.worker, k.kind) p.name as repository, k.worker, k.kind, k.run, k.bytes, k.at
     from kept_dependency_cache k join repository p on p.id = k.repository
     where k.repository = any($1) order by p.name, k.worker, k.kind, k.at desc`,
    [await idsOf(db, project, repository)],
  );
  return rows.map(({ at, ...row }) => ({ ...row, at: at.toISOString() }));
}

/** Lets no run use what there is: each worker removes its own with the next run there. Gives the repositories' names. */
export async function clearDependencyCaches(
  db: Queryable,
  project: string,
  repository?: string,
): Promise<string[]> {
  return await withinTransaction(db, async (tx) => {
    const { id } = await getProject(tx, project);
    await lockProject(tx, id);
    const ids = await idsOf(tx, project, repository);
    const { rows } = await tx.query<{ name: string }>(
      'update repository set caches_generation = caches_generation + 1 where id = any($1) returning name',
      [ids],
    );
    await tx.query('delete from dependency_cache where repository = any($1)', [ids]);
    await emit(tx, { kind: 'project.changed', project: id, data: { changed: ['dependencyCaches'] } });
    return rows.map(({ name }) => name).sort();
  });
}

async function idsOf(db: Queryable, project: string, repository: string | undefined): Promise<number[]> {
  const found = await getProject(db, project);
  return repository === undefined
    ? found.repositories.map(({ id }) => id)
    : [repositoryNamed(found, repository).id];
}

function refused(what: string): AutocodeError {
  return new AutocodeError('ERR_CONFLICT', `${what}.`, { remedy: 'What it has fetched is not kept.' });
}
