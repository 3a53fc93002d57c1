// Where a run starts: the commit it is compared to, and its own ref in the mirror.
// Used by the runner's first call.
import { AutocodeError } from '../../protocol/errors.ts';
import { parseRunId, runId } from '../../protocol/ids.ts';
import type { BaseAnswer } from '../../protocol/run.ts';
import type { Queryable } from '../db/connect.ts';
import type { Git } from './git.ts';
import { fetchMirror, repositoryPath, unlockRef } from './mirror.ts';
import type { RepositoryStore } from './mirror.ts';
import { unknownBranch } from './origin.ts';

interface RunRow {
  task: number;
  repository: number;
  origin: string;
  base_branch: string;
  base_commit: string | null;
}

/**
 * Fetches, settles the run's base commit and creates its ref; a repeated call gives the first one's answer.
 * ERR_STALE_FENCE when the run is over or the fence not its own.
 */
export async function prepareBase(
  db: Queryable,
  store: RepositoryStore,
  run: string,
  fence: number,
  signal?: AbortSignal,
): Promise<BaseAnswer> {
  const row = await liveRun(db, run, fence);
  const ref = runRef(run);
  const mirror = repositoryPath(store, row.repository, 'mirror.git');
  if (row.base_commit !== null) {
    const startCommit = await resolveCommit(store.git, mirror, ref);
    if (startCommit !== undefined) return { baseCommit: row.base_commit, startCommit, ref };
  }
  await fetchMirror(store, { id: row.repository, origin: row.origin }, { signal });
  const baseCommit = await branchCommit(store.git, mirror, row.origin, row.base_branch);
  const startCommit = (await earlierWork(db, store.git, mirror, run, baseCommit)) ?? baseCommit;
  // The ref first: with the base stored, a repeated call trusts the ref.
  await unlockRef(mirror, ref);
  await store.git.run(['update-ref', ref, startCommit], { gitDir: mirror });
  const stored = await db.query(
    `update run set base_commit = $3, updated_at = now() where id = $1 and fence = $2 and ${LIVE}`,
    [run, fence, baseCommit],
  );
  if (stored.rowCount === 0) throw staleFence(run, fence);
  return { baseCommit, startCommit, ref };
}

/** The one ref that a run may fetch and push. */
export function runRef(run: string): string {
  return `refs/runs/${run}`;
}

/** The commit that a name stands for in a git directory, if it is there. */
export async function resolveCommit(git: Git, gitDir: string, name: string): Promise<string | undefined> {
  const found = await git.run(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`], {
    gitDir,
    accept: [1, 128],
  });
  return found.exitCode === 0 ? found.stdout.toString().trim() : undefined;
}

/** The commit of a branch as the origin had it at the last fetch; ERR_BRANCH_UNKNOWN with those that it has. */
export async function branchCommit(
  git: Git,
  mirror: string,
  origin: string,
  branch: string,
): Promise<string> {
  const commit = await resolveCommit(git, mirror, `refs/forge/heads/${branch}`);
  if (commit !== undefined) return commit;
  const known = await git.text(['for-each-ref', '--format=%(refname:lstrip=3)', 'refs/forge/heads'], {
    gitDir: mirror,
  });
  throw unknownBranch(origin, branch, known.split('\n').filter(Boolean));
}

const LIVE = `state in ('leased', 'preparing', 'working', 'verifying')`;

async function liveRun(db: Queryable, run: string, fence: number): Promise<RunRow> {
  const { rows } = await db.query<RunRow>(
    `select run.task, task.repository, repository.origin, task.base_branch, run.base_commit
       from run join task on task.id = run.task join repository on repository.id = task.repository
      where run.id = $1 and run.fence = $2 and run.${LIVE}`,
    [run, fence],
  );
  if (rows[0] === undefined) throw staleFence(run, fence);
  return rows[0];
}

function staleFence(run: string, fence: number): AutocodeError {
  return new AutocodeError('ERR_STALE_FENCE', `The run ${run} is over, or ${fence} is not its fence.`);
}

// A retry goes on from what the last attempt pushed, as long as the base is the same commit.
async function earlierWork(
  db: Queryable,
  git: Git,
  mirror: string,
  run: string,
  base: string,
): Promise<string | undefined> {
  const { task, fence } = parseRunId(run);
  const { rows } = await db.query<{ fence: number }>(
    'select fence from run where task = $1 and fence < $2 and base_commit = $3 order by fence desc',
    [task, fence, base],
  );
  for (const earlier of rows) {
    const commit = await resolveCommit(git, mirror, runRef(runId(task, earlier.fence)));
    if (commit === undefined || commit === base) continue;
    const grown = await git.run(['merge-base', '--is-ancestor', base, commit], {
      gitDir: mirror,
      accept: [1],
    });
    if (grown.exitCode === 0) return commit;
  }
  return undefined;
}
