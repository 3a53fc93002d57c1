// Open changes that were built upon another one: when that is merged, what is their own is moved upon the base branch, as a rebase
// would, and pushed; when that was moved, upon where it stands now. So a stack follows from the bottom up, in one pass. Done with
// the looks at changes; what a crash leaves anywhere is finished by the next look.
import { transaction, type Database } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { ENDED_TASK_STATES } from '../tasks/task-state.ts';
import { runRef, standingOf, type Below } from './base.ts';
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

/** Where a change goes: upon which commit, of which open change (none: of its base branch), and its own commit there. */
interface Move {
  target: string;
  onto?: number | null;
  head: string;
}

/** Why a change is to follow, and how far that is: recorded before its push, or left as it is for a reason. */
interface Following {
  id: number;
  project: number;
  below: Below;
  /** The change below is one that could not follow, and stands where it stood. */
  waits: boolean;
  recorded: Move | { target: string; left: string } | null;
}

/**
 * Lets open changes follow what became of the change below, the lowest first: the next one sees where that went. One whose task is at work
 * is moved by its submission, one that somebody else has pushed to is left to that person. What cannot be moved now is reported and
 * passed over; those above it stay upon it.
 */
export async function followBelow(
  deps: FollowDeps,
  onError: (error: unknown, repository: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  for (let last = 0; ;) {
    const following = await nextFollowing(deps.db, last);
    if (following === undefined) return;
    last = following.id;
    const [change] = await openChanges(deps.db, [last]);
    if (change === undefined) continue; // it has ended meanwhile
    try {
      await follow(deps, change, following, signal);
    } catch (error) {
      signal?.throwIfAborted();
      onError(error, change.repository.id);
    }
  }
}

// In the order of their numbers: that is from the bottom up. One that was opened again upon a later one is not carried along with that:
// the two could be upon each other.
async function nextFollowing(db: Database, last: number): Promise<Following | undefined> {
  const { rows } = await db.query<Following>(
    `select change.id, task.project, change.follow as recorded, below.state = 'open' and change.base_commit = stands as waits,
        jsonb_build_object('id', below.id, 'state', below.state, 'branch', below.branch, 'baseBranch', below.base_branch,
          'headCommit', below.head_commit, 'url', below.url) as below
      from change join change below on below.id = change.onto join task on task.id = change.task,
        lateral coalesce(below.forge_head, below.head_commit) stands
      where change.id > $1 and change.state = 'open' and change.forge_head is null and task.state = any($2)
        and (below.state = 'merged' or below.state = 'open' and below.id < change.id
          and (change.base_commit <> stands or below.follow ? 'left' and change.follow -> 'left' is null))
      order by change.id limit 1`,
    [last, ENDED_TASK_STATES],
  );
  return rows[0];
}

async function follow(
  deps: FollowDeps,
  change: ChangeAtOrigin,
  following: Following,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { db, store } = deps;
  const { branch, baseBranch, baseCommit, headCommit: expected, repository } = change;
  const { below, recorded, waits } = following;
  if (waits) {
    const left = `It stays upon change ${below.id}, which could not follow.`;
    return await leave(db, change, following, { target: baseCommit, left, conflicts: [] });
  }
  const mirror = await fetchMirror(store, repository, { signal });
  const target = await standingOf(store.git, { mirror, origin: repository.origin }, below);
  const onto = below.state === 'open' ? below.id : null;
  if (target === undefined || (onto !== null && target === baseCommit)) return;
  if (recorded !== null && 'left' in recorded && recorded.target === target) return;
  const forge = await forgeOf(deps, repository);
  const seen = (await forge.read([change], signal))[0]!;
  if (seen.state !== 'open') return; // the look at it tells
  if (seen.base === below.branch) {
    if (onto === null) await forge.retarget(change, below.branch, signal);
  } else if (seen.base !== undefined && seen.base !== baseBranch) {
    const left = `Its pull request is directed at ${seen.base} by now.`;
    return await leave(db, change, following, { target, left, conflicts: [] });
  }
  const there = await remoteBranch(store.git, repository.origin, branch, signal);
  if (recorded !== null && 'head' in recorded && there === recorded.head)
    return await finish(deps, { change, following, mirror, forge }, recorded, signal);
  if (there !== expected) return; // somebody has pushed to it: the look at it tells
  const name = onto === null ? baseBranch : `change ${onto}`;
  const carried = await carryOwn(store.git, mirror, change, { target, name }, deps.author);
  if ('left' in carried) return await leave(db, change, following, carried);
  const moved = { ...carried, onto };
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
async function carryOwn(
  git: Git,
  mirror: string,
  { baseCommit: base, headCommit: head }: ChangeAtOrigin,
  { target, name }: { target: string; name: string },
  author: Author,
): Promise<Move | Left> {
  const written = await git.text(['log', '-1', '--format=%at%n%B', head], { gitDir: mirror });
  const [seconds, message] = [written.split('\n', 1)[0]!, written.slice(written.indexOf('\n') + 1)];
  const as = { message, authorship: authorship(author, new Date(Number(seconds) * 1000)) };
  const { commit, tree, conflicts } = await carry(git, { mirror, base, head, target, ...as });
  if (conflicts.length > 0)
    return { target, left: `It conflicts with ${name} in ${namedFiles(conflicts)}.`, conflicts };
  const before = await git.text(['rev-parse', `${target}^{tree}`], { gitDir: mirror });
  if (tree === before) return { target, left: `${name} has all of it already.`, conflicts };
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

// The branch is pushed. Upon its base branch, what its pull request says of the change below is not so any more.
async function finish(
  { db, store }: FollowDeps,
  { change, following, mirror, forge }: Moving,
  { target, head, onto = null }: Move,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { id, task, run, branch, baseBranch, headCommit, repository } = change;
  const { below, project } = following;
  const body = onto === null ? withoutBelow(change.body) : change.body;
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
      `update change set base_commit = $3, head_commit = $4, body = $5, onto = $6, follow = null, forge_head = null,
          mergeable = 'unknown', merge_reason = null, look = nextval('change_look'), updated_at = now()
        where id = $1 and state = 'open' and head_commit = $2`,
      [id, headCommit, target, head, body, onto],
    );
    if (rowCount === 0) return;
    const upon = { repository: repository.id, below: onto === null ? null : below };
    await recordMove(tx, run, upon, { base: target, head });
    const data = { change: id, below: below.id, to: 'rebased', base: target, commit: head };
    await emit(tx, { kind: 'change.followed', project, task, run, data });
  });
}

// Told once; tried again when what it is to go upon has moved on.
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
      [id, headCommit, { target, left, conflicts: isConflict }, isConflict, namedFiles(conflicts)],
    );
    if (rowCount === 0 || (recorded !== null && 'left' in recorded && recorded.left === left)) return;
    const data = { change: id, below: below.id, to: isConflict ? 'conflicts' : 'left', reason: left };
    await emit(tx, { kind: 'change.followed', project, task, run, data });
  });
}
