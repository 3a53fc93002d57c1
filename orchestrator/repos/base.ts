// Where a run starts in each of its repositories: the commit it is compared to, and its own ref in the mirror.
// Used by the runner's first call.
import { AutocodeError } from '../../protocol/errors.ts';
import { parseRunId, runId } from '../../protocol/ids.ts';
import type { Change } from '../../protocol/change.ts';
import type { BaseAnswer } from '../../protocol/run.ts';
import type { Queryable } from '../db/connect.ts';
import { carry } from './carry.ts';
import type { Git } from './git.ts';
import { fetchMirror, repositoryPath, unlockRef } from './mirror.ts';
import type { RepositoryStore } from './mirror.ts';
import { unknownBranch } from './origin.ts';
import { authorship } from './submission-commit.ts';

/** The change that a result is built upon. */
export interface Below {
  id: number;
  state: Change['state'];
  branch: string;
  baseBranch: string;
  headCommit: string;
  url: string | null;
}

/** A repository that a run works in. */
interface Place {
  repository: number;
  origin: string;
  base_branch: string;
  base_commit: string | null;
  /** The task does a run again, which began at this commit. */
  replay_of: string | null;
  replayed_base: string | null;
  /** The task has an open change here, which began at this commit: its next run goes on from it. */
  change_base: string | null;
  /** Where that change stands, when its conflict with the base is to be resolved. */
  conflicting: string | null;
  /** The change of another task that it is built upon: the one of its own change, else the newest open one where the project stacks. */
  below: Below | null;
}

/** Fetches of one run at a time. */
const AT_ONCE = 4;

/**
 * Fetches, settles the run's base commits and creates its refs, one a repository; a repeated call gives the first one's
 * answer. ERR_STALE_FENCE when the run is over or the fence not its own.
 */
export async function prepareBase(
  db: Queryable,
  store: RepositoryStore,
  run: string,
  fence: number,
  signal?: AbortSignal,
): Promise<BaseAnswer> {
  const places = await placesOf(db, run, fence);
  const repositories: BaseAnswer['repositories'] = [];
  for (let from = 0; from < places.length; from += AT_ONCE) {
    const some = places.slice(from, from + AT_ONCE);
    const prepared = await Promise.allSettled(
      some.map(async (place) => await preparePlace(db, store, { run, fence, place }, signal)),
    );
    for (const each of prepared) {
      if (each.status === 'rejected') throw each.reason;
      repositories.push(each.value);
    }
  }
  return { repositories, ref: runRef(run) };
}

async function preparePlace(
  db: Queryable,
  store: RepositoryStore,
  { run, fence, place }: { run: string; fence: number; place: Place },
  signal: AbortSignal | undefined,
): Promise<BaseAnswer['repositories'][number]> {
  const { repository: id, origin } = place;
  const ref = runRef(run);
  const mirror = repositoryPath(store, id, 'mirror.git');
  if (place.base_commit !== null) {
    const startCommit = await resolveCommit(store.git, mirror, ref);
    if (startCommit !== undefined) return { id, baseCommit: place.base_commit, startCommit };
  }
  await fetchMirror(store, { id, origin }, { signal });
  const replayed = await replayedBase(store.git, mirror, place);
  const { below } = place;
  const stands = async () =>
    below === null ? undefined : await standingOf(store.git, { mirror, origin }, below);
  const branch = async () => await branchCommit(store.git, mirror, origin, place.base_branch);
  const conflict = await conflictToResolve(
    store.git,
    mirror,
    place,
    async () => (await stands()) ?? (await branch()),
  );
  const continued = conflict === undefined ? await continuedBase(store.git, mirror, place) : undefined;
  const stacked = (conflict ?? continued) === undefined ? await stands() : undefined;
  const baseCommit = replayed ?? conflict?.base ?? continued ?? stacked ?? (await branch());
  const isUpon = conflict === undefined ? (continued ?? stacked) !== undefined : below?.state === 'open';
  const onto = isUpon ? (below?.id ?? null) : null;
  const startCommit =
    replayed ??
    (await earlierWork(db, store.git, mirror, { run, id, base: baseCommit })) ??
    conflict?.start ??
    baseCommit;
  // The ref first: with the base stored, a repeated call trusts the ref.
  await unlockRef(mirror, ref);
  await store.git.run(['update-ref', ref, startCommit], { gitDir: mirror });
  const stored = await db.query(
    `insert into run_repository (run, repository, base_commit, onto)
       select id, $3, $4, $5 from run where id = $1 and fence = $2 and ${LIVE}
     on conflict (run, repository) do update set base_commit = excluded.base_commit, onto = excluded.onto`,
    [run, fence, id, baseCommit, onto],
  );
  if (stored.rowCount === 0) throw staleFence(run, fence);
  return { id, baseCommit, startCommit };
}

/** The one ref that a run may fetch and push in each of its repositories. */
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

/**
 * Where the change stands, as the mirror has it: its branch with what others added to it; its base branch once it was merged. Undefined
 * when it was closed, or its branch is gone.
 */
export async function standingOf(
  git: Git,
  { mirror, origin }: { mirror: string; origin: string },
  { state, branch, baseBranch, headCommit }: Below,
): Promise<string | undefined> {
  if (state === 'closed') return undefined;
  if (state === 'merged') return await branchCommit(git, mirror, origin, baseBranch);
  return (
    (await resolveCommit(git, mirror, `refs/forge/heads/${branch}`)) ??
    (await resolveCommit(git, mirror, headCommit))
  );
}

const LIVE = `state in ('leased', 'preparing', 'working', 'verifying')`;

async function placesOf(db: Queryable, run: string, fence: number): Promise<Place[]> {
  const { rows } = await db.query<Place>(
    `select own.repository, repository.origin, own.base_branch, began.base_commit, task.replay_of, replayed.base_commit as replayed_base, change.base_commit as change_base,
         case when change.resolving and change.forge_head is null then change.head_commit end as conflicting,
         (select to_jsonb(b) from (${BELOW}) b) as below
       from run join task on task.id = run.task join project on project.id = task.project join task_repository own on own.task = run.task join repository on repository.id = own.repository
       left join run_repository began on began.run = run.id and began.repository = own.repository
       left join change on change.task = run.task and change.repository = own.repository and change.state = 'open'
       left join run_repository replayed on replayed.run = task.replay_of and replayed.repository = own.repository
      where run.id = $1 and run.fence = $2 and run.${LIVE} order by own.position`,
    [run, fence],
  );
  if (rows[0] === undefined) throw staleFence(run, fence);
  return rows;
}

// An investigation looks at what there is, and a run that is done again begins where it began.
const BELOW = `select id, state, branch, base_branch as "baseBranch", head_commit as "headCommit", url from change earlier
   where task.kind = 'change' and task.replay_of is null and case when change.id is not null then earlier.id = change.onto and earlier.state <> 'closed'
     else project.after_change = 'stack' and earlier.repository = own.repository and earlier.state = 'open'
       and earlier.task <> run.task and earlier.base_branch = own.base_branch end
   order by id desc limit 1`;

function staleFence(run: string, fence: number): AutocodeError {
  return new AutocodeError('ERR_STALE_FENCE', `The run ${run} is over, or ${fence} is not its fence.`);
}

// Undefined where no run is done again. The mirror drops no objects, but may have been made anew.
async function replayedBase(git: Git, mirror: string, place: Place): Promise<string | undefined> {
  if (place.replay_of === null) return undefined;
  const base = place.replayed_base;
  if (base !== null && (await resolveCommit(git, mirror, base)) !== undefined) return base;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `Run ${place.replay_of} cannot be done again: the commit ${base ?? ''} that it began at is not in the mirror of ${place.origin} any more.`,
    { remedy: 'Give the task anew with `autocode task add`.' },
  );
}

// The branch of an open change is brought further, not begun anew where its base is by now.
async function continuedBase(
  git: Git,
  mirror: string,
  { change_base: base }: Place,
): Promise<string | undefined> {
  if (base === null || (await resolveCommit(git, mirror, base)) === undefined) return undefined;
  return base;
}

// A change that conflicts is brought upon its base as that is now; where both have changed the same lines, its files have conflict markers
// for the run to put right.
async function conflictToResolve(
  git: Git,
  mirror: string,
  { change_base: base, conflicting: head }: Place,
  tip: () => Promise<string>,
): Promise<{ base: string; start: string } | undefined> {
  if (base === null || head === null) return undefined;
  for (const commit of [base, head])
    if ((await resolveCommit(git, mirror, commit)) === undefined) return undefined;
  const target = await tip();
  if (target === base) return undefined;
  const message = 'The result so far, brought upon its base as that is now';
  const as = {
    message,
    authorship: authorship({ name: 'Autocode', email: 'autocode@localhost' }, new Date(0)),
  };
  return { base: target, start: (await carry(git, { mirror, base, head, target, ...as })).commit };
}

// A retry goes on from what the last attempt pushed, as long as the base is the same commit.
async function earlierWork(
  db: Queryable,
  git: Git,
  mirror: string,
  { run, id, base }: { run: string; id: number; base: string },
): Promise<string | undefined> {
  const { task, fence } = parseRunId(run);
  const { rows } = await db.query<{ fence: number }>(
    `select fence from run join run_repository began on began.run = run.id and began.repository = $4
      where task = $1 and fence < $2 and base_commit = $3 order by fence desc`,
    [task, fence, base, id],
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
