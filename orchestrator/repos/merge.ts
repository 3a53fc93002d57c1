// Merging a change into its base branch, in the mirror and without a work tree, and finding out that somebody else
// did. Used by the API and the scheduler.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Change } from '../../protocol/change.ts';
import type { Database } from '../db/connect.ts';
import { branchCommit, resolveCommit } from './base.ts';
import { changeAtOrigin, endChange, getChange, openChanges } from './changes.ts';
import type { ChangeAtOrigin } from './changes.ts';
import type { Git } from './git.ts';
import { fetchMirror } from './mirror.ts';
import type { RepositoryStore } from './mirror.ts';
import { shellQuoted } from './open.ts';
import { pushBranch } from './push.ts';
import { authorship } from './submission-commit.ts';
import type { Author } from './submission-commit.ts';

export interface MergeDeps {
  db: Database;
  store: RepositoryStore;
  author: Author;
}

const TRIES = 3;

/**
 * Merges an open change: fast-forward where the base has not moved, else a merge commit. ERR_MERGE_CONFLICT names the
 * files; ERR_BRANCH_CHECKED_OUT the command to type where the base branch is somebody's working copy.
 */
export async function mergeChange(
  { db, store, author }: MergeDeps,
  id: number,
  signal?: AbortSignal,
): Promise<Change> {
  const change = await changeAtOrigin(db, id);
  if (change.state !== 'open')
    throw new AutocodeError('ERR_STATE', `The change ${id} is ${change.state} already.`);
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const mirror = await fetchMirror(store, change.repository, { signal });
    const base = await branchCommit(store.git, mirror, change.repository.origin, change.baseBranch);
    const head = await headOf(store.git, mirror, change);
    if (!(await contains(store.git, mirror, base, head))) {
      const commit = await mergeCommit(store.git, { mirror, base, head, change, author });
      const push = {
        mirror,
        origin: change.repository.origin,
        branch: change.baseBranch,
        commit,
        expected: base,
        signal,
      };
      const result = await pushBranch(store.git, push);
      if (result.answer === 'stale') continue; // the base moved in between
      if (result.answer !== 'pushed') throw notPushed(change, result);
    }
    await endChange(db, id, 'merged');
    return await getChange(db, id);
  }
  throw new AutocodeError(
    'ERR_CONFLICT',
    `The branch ${change.baseBranch} moved ${TRIES} times while change ${id} was merged.`,
    {
      remedy: 'Try again.',
    },
  );
}

/** Marks a change merged when its base branch has it by now. */
export async function refreshChange(
  { db, store }: Omit<MergeDeps, 'author'>,
  id: number,
  signal?: AbortSignal,
): Promise<void> {
  const change = await changeAtOrigin(db, id);
  if (change.state !== 'open') return;
  const mirror = await fetchMirror(store, change.repository, { signal });
  await markIfMerged(db, store.git, mirror, change);
}

/** The same for all open changes, one fetch a repository. One that cannot be fetched is reported and passed over. */
export async function refreshChanges(
  { db, store }: Omit<MergeDeps, 'author'>,
  onError: (error: unknown, repository: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const byRepository = Map.groupBy(await openChanges(db), (change) => change.repository.id);
  for (const [repository, changes] of byRepository) {
    try {
      const mirror = await fetchMirror(store, changes[0]!.repository, { signal });
      for (const change of changes) await markIfMerged(db, store.git, mirror, change);
    } catch (error) {
      signal?.throwIfAborted();
      onError(error, repository);
    }
  }
}

async function markIfMerged(db: Database, git: Git, mirror: string, change: ChangeAtOrigin): Promise<void> {
  const base = await resolveCommit(git, mirror, `refs/forge/heads/${change.baseBranch}`);
  if (base === undefined || (await resolveCommit(git, mirror, change.headCommit)) === undefined) return;
  if (await contains(git, mirror, base, change.headCommit))
    await endChange(db, change.id, 'merged', change.headCommit);
}

// A squashed or rebased merge is seen by its content: merging once more would change nothing.
async function contains(git: Git, mirror: string, base: string, head: string): Promise<boolean> {
  const ancestor = await git.run(['merge-base', '--is-ancestor', head, base], {
    gitDir: mirror,
    accept: [1],
  });
  if (ancestor.exitCode === 0) return true;
  const merged = await mergedTree(git, mirror, base, head);
  return (
    'tree' in merged && merged.tree === (await git.text(['rev-parse', `${base}^{tree}`], { gitDir: mirror }))
  );
}

// The branch as the forge has it, with what a reviewer may have added; without one, what was submitted.
async function headOf(git: Git, mirror: string, change: ChangeAtOrigin): Promise<string> {
  return (await resolveCommit(git, mirror, `refs/forge/heads/${change.branch}`)) ?? change.headCommit;
}

async function mergedTree(
  git: Git,
  mirror: string,
  base: string,
  head: string,
): Promise<{ tree: string } | { conflicts: string[] }> {
  const args = [
    'merge-tree',
    '--write-tree',
    '--allow-unrelated-histories',
    '--no-messages',
    '--name-only',
    '-z',
    base,
    head,
  ];
  const { exitCode, stdout } = await git.run(args, { gitDir: mirror, accept: [1] });
  const [tree = '', ...files] = stdout.toString().split('\0').filter(Boolean);
  return exitCode === 0 ? { tree } : { conflicts: files };
}

async function mergeCommit(
  git: Git,
  {
    mirror,
    base,
    head,
    change,
    author,
  }: { mirror: string; base: string; head: string; change: ChangeAtOrigin; author: Author },
): Promise<string> {
  const forward = await git.run(['merge-base', '--is-ancestor', base, head], { gitDir: mirror, accept: [1] });
  if (forward.exitCode === 0) return head;
  const merged = await mergedTree(git, mirror, base, head);
  if ('conflicts' in merged) throw conflict(change, merged.conflicts);
  const message = `Merge branch '${change.branch}' into ${change.baseBranch}\n\n${change.title}\n`;
  return await git.text(['commit-tree', '-p', base, '-p', head, '-F', '-', merged.tree], {
    gitDir: mirror,
    input: message,
    env: authorship(author, new Date()),
  });
}

function conflict({ id, branch, baseBranch }: Change, files: string[]): AutocodeError {
  const named = files.slice(0, 10).join(', ') + (files.length > 10 ? ` and ${files.length - 10} more` : '');
  return new AutocodeError('ERR_MERGE_CONFLICT', `Change ${id} conflicts with ${baseBranch} in ${named}.`, {
    remedy: `Merge ${branch} by hand, or close the change and give the task again.`,
    details: { files: files.slice(0, 100) },
  });
}

function notPushed(
  change: ChangeAtOrigin,
  result: { answer: 'checked-out' } | { answer: 'refused'; reason: string },
): AutocodeError {
  const { origin } = change.repository;
  if (result.answer === 'checked-out') {
    return new AutocodeError(
      'ERR_BRANCH_CHECKED_OUT',
      `${change.baseBranch} is checked out in ${origin}: a push would not reach its files.`,
      {
        remedy: `Merge it there: git -C ${shellQuoted(origin)} merge ${shellQuoted(change.branch)}`,
      },
    );
  }
  return new AutocodeError(
    'ERR_FORBIDDEN',
    `${origin} refused the merge of change ${change.id}: ${result.reason}`,
    {
      remedy: `Merge ${change.branch} at the forge itself.`,
    },
  );
}
