// Open changes that were built upon another one, which is merged by now: what is their own is moved upon the base branch, as a rebase
// would, and pushed. Done with the looks at changes; what a crash leaves anywhere is finished by the next look.
import { transaction, type Database } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { ENDED_TASK_STATES } from '../tasks/task-state.ts';
import { branchCommit, runRef } from './base.ts';
import { carry, namedFiles } from './carry.ts';
import { withoutBelow } from './change-body.ts';
import { openChanges, type ChangeAtOrigin } from './changes.ts';
import type { Forge } from './forge/forge.ts';
import { forgeOf, type Forges } from './forge/forges.ts';
import { requestTitle } from './forge/proposal.ts';
import type { Git } from './git.ts';
import { fetchMirror, unlockRef, type RepositoryStore } from './mirror.ts';
import { pushBranch, remoteBranch } from './push.ts';
import { authorship, type Author } from './submission-commit.ts';
import { recordMove } from './submission-record.ts';

export interface FollowDeps {
  db: Database;
  store: RepositoryStore;
  author: Author;
  forges: Forges;
}

/** Where a change goes: the tip of its base branch, and its commit there. */
interface Move {
  target: string;
  head: string;
}

/** Why a change is to follow, and how far that is: recorded before its push, or left as it is for a reason. */
interface Following {
  id: number;
  project: number;
  below: number;
  belowBranch: string;
  recorded: Move | { target: string; left: string } | null;
}

/**
 * Lets open changes follow whose change below was merged. One whose task is at work is moved by its submission, one that somebody else
 * has pushed to is left to that person. What cannot be moved now is reported and passed over.
 */
export async function followMerged(
  deps: FollowDeps,
  onError: (error: unknown, repository: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { rows } = await deps.db.query<Following>(
    `select change.id, task.project, below.id as below, below.branch as "belowBranch", change.follow as recorded
      from change join change below on below.id = change.onto join task on task.id = change.task
      where change.state = 'open' and below.state = 'merged' and change.forge_head is null and task.state = any($1)`,
    [ENDED_TASK_STATES],
  );
  if (rows.length === 0) return;
  const ids = rows.map(({ id }) => id);
  for (const change of await openChanges(deps.db, ids)) {
    try {
      const following = rows.find(({ id }) => id === change.id)!;
      await follow(deps, change, following, signal);
    } catch (error) {
      signal?.throwIfAborted();
      onError(error, change.repository.id);
    }
  }
}

async function follow(
  deps: FollowDeps,
  change: ChangeAtOrigin,
  following: Following,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { db, store } = deps;
  const { branch, baseBranch, headCommit: expected, repository } = change;
  const mirror = await fetchMirror(store, repository, { signal });
  const target = await branchCommit(store.git, mirror, repository.origin, baseBranch);
  const { recorded } = following;
  if (recorded !== null && 'left' in recorded && recorded.target === target) return;
  const forge = await forgeOf(deps, repository);
  const seen = (await forge.read([change], signal))[0]!;
  if (seen.state !== 'open') return; // the look at it tells
  if (seen.base === following.belowBranch) await forge.retarget(change, following.belowBranch, signal);
  else if (seen.base !== undefined && seen.base !== baseBranch) {
    const left = `Its pull request is directed at ${seen.base} by now.`;
    return await leave(db, change, following, { target, left, conflicts: [] });
  }
  const there = await remoteBranch(store.git, repository.origin, branch, signal);
  if (recorded !== null && 'head' in recorded && there === recorded.head)
    return await finish(deps, { change, following, mirror, forge }, recorded, signal);
  if (there !== expected) return; // somebody has pushed to it: the look at it tells
  const moved = await moveOwn(store.git, mirror, change, target, deps.author);
  if ('left' in moved) return await leave(db, change, following, moved);
  await noteCommit(store.git, mirror, change, moved.head);
  if (!(await record(db, change, moved))) return;
  const push = { mirror, origin: repository.origin, branch, commit: moved.head, expected, signal };
  const result = await pushBranch(store.git, push);
  if (result.answer === 'pushed')
    return await finish(deps, { change, following, mirror, forge }, moved, signal);
  if (result.answer === 'stale') return; // the next look sees who was faster
  const left = result.answer === 'refused' ? result.reason : 'its branch is checked out there';
  await leave(db, change, following, { target, left, conflicts: [] });
}

type Left = { target: string; left: string; conflicts: string[] };

// By the same author at the same time as before: done again, it is the same commit.
async function moveOwn(
  git: Git,
  mirror: string,
  { baseCommit: base, headCommit: head, baseBranch }: ChangeAtOrigin,
  target: string,
  author: Author,
): Promise<Move | Left> {
  const written = await git.text(['log', '-1', '--format=%at%n%B', head], { gitDir: mirror });
  const [seconds, message] = [written.split('\n', 1)[0]!, written.slice(written.indexOf('\n') + 1)];
  const as = { message, authorship: authorship(author, new Date(Number(seconds) * 1000)) };
  const { commit, tree, conflicts } = await carry(git, { mirror, base, head, target, ...as });
  if (conflicts.length > 0)
    return { target, left: `It conflicts with ${baseBranch} in ${namedFiles(conflicts)}.`, conflicts };
  const before = await git.text(['rev-parse', `${target}^{tree}`], { gitDir: mirror });
  if (tree === before) return { target, left: `${baseBranch} has all of it already.`, conflicts };
  return { target, head: commit };
}

// The note keeps the commit, and tells it from other people's; the task's next run goes on from the run's own ref.
async function noteCommit(
  git: Git,
  mirror: string,
  { run, branch }: ChangeAtOrigin,
  commit: string,
): Promise<void> {
  const note = `refs/submitted/${run}/${branch}`;
  await unlockRef(mirror, note);
  await git.run(['update-ref', note, commit], { gitDir: mirror });
}

async function record(db: Database, { id, headCommit }: ChangeAtOrigin, move: Move): Promise<boolean> {
  const { rowCount } = await db.query(
    `update change set follow = $3 from task where change.id = $1 and change.state = 'open' and change.head_commit = $2
      and task.id = change.task and task.state = any($4)`,
    [id, headCommit, move, ENDED_TASK_STATES],
  );
  return rowCount === 1;
}

/** A change on its way, and what reaches it. */
interface Moving {
  change: ChangeAtOrigin;
  following: Following;
  mirror: string;
  forge: Forge;
}

// The branch is pushed. What its pull request says of the change below is not so any more.
async function finish(
  { db, store }: FollowDeps,
  { change, following, mirror, forge }: Moving,
  { target, head }: Move,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { id, task, run, branch, baseBranch, headCommit, repository } = change;
  const body = withoutBelow(change.body);
  const nothingElse = { draft: true, reviewers: [], labels: [], statuses: [] }; // an open one stays ready
  const proposal = {
    branch,
    baseBranch,
    commit: head,
    title: requestTitle(change.title),
    body,
    ...nothingElse,
  };
  if (body !== change.body) await forge.propose(proposal, signal);
  const ref = runRef(run);
  await unlockRef(mirror, ref);
  await store.git.run(['update-ref', ref, head], { gitDir: mirror });
  await transaction(db, async (tx) => {
    const { rowCount } = await tx.query(
      `update change set base_commit = $3, head_commit = $4, body = $5, onto = null, follow = null, forge_head = null,
          mergeable = 'unknown', merge_reason = null, look = nextval('change_look'), updated_at = now()
        where id = $1 and state = 'open' and head_commit = $2`,
      [id, headCommit, target, head, body],
    );
    if (rowCount === 0) return;
    await recordMove(tx, run, { repository: repository.id, below: null }, { base: target, head });
    const data = { change: id, below: following.below, to: 'rebased', base: target, commit: head };
    await emit(tx, { kind: 'change.followed', project: following.project, task, run, data });
  });
}

// Told once; tried again when the base branch has moved on.
async function leave(
  db: Database,
  { id, task, run, headCommit }: ChangeAtOrigin,
  { project, below, recorded }: Following,
  { target, left, conflicts }: Left,
): Promise<void> {
  const isConflict = conflicts.length > 0;
  await transaction(db, async (tx) => {
    const { rowCount } = await tx.query(
      `update change set follow = $3, mergeable = case when $4 then 'conflicts' else mergeable end,
          merge_reason = case when $4 then $5 else merge_reason end
        where id = $1 and state = 'open' and head_commit = $2`,
      [id, headCommit, { target, left }, isConflict, namedFiles(conflicts)],
    );
    if (rowCount === 0 || (recorded !== null && 'left' in recorded)) return;
    const data = { change: id, below, to: isConflict ? 'conflicts' : 'left', reason: left };
    await emit(tx, { kind: 'change.followed', project, task, run, data });
  });
}
