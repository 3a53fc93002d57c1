// A forge that is no more than a git repository, hosted here or anywhere: changes live in the database, merges are made
// in the mirror and without a work tree. Used where a repository belongs to no forge with pull requests.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { MergeMethod } from '../../../protocol/project.ts';
import { branchCommit, resolveCommit } from '../base.ts';
import { mergedTree, namedFiles } from '../carry.ts';
import type { ChangeAtOrigin } from '../changes.ts';
import type { Git } from '../git.ts';
import { fetchMirror } from '../mirror.ts';
import type { RepositoryStore } from '../mirror.ts';
import { shellQuoted } from '../working-copy.ts';
import { pushBranch } from '../push.ts';
import { authorship } from '../submission-commit.ts';
import type { Author } from '../submission-commit.ts';
import type { Forge, ForgeChange, ReviewedChange } from './forge.ts';

const TRIES = 3;
const NOTHING: ForgeChange = {
  number: null,
  url: null,
  state: 'open',
  head: undefined,
  mergedCommit: undefined,
  base: undefined,
  mergeable: 'unknown',
  mergeReason: null,
  draft: false,
};

/** The forge of a plain repository. */
export function localForge(store: RepositoryStore, author: Author): Forge {
  return {
    check: async () => {},
    propose: async ({ commit }) => ({ ...NOTHING, head: commit, notes: [] }),
    read: async (changes, signal) => await readChanges(store, changes, signal),
    comment: async () => {},
    merge: async (change, method, signal) => await mergeInMirror({ store, author }, change, method, signal),
    retarget: async () => {},
    close: async () => {},
    activity: async () => [],
    issue: async (number) =>
      await Promise.reject(
        new AutocodeError('ERR_NOT_FOUND', `There is no issue ${number}: the repository is on no forge.`),
      ),
  };
}

async function readChanges(
  store: RepositoryStore,
  changes: ChangeAtOrigin[],
  signal: AbortSignal | undefined,
): Promise<ReviewedChange[]> {
  if (changes[0] === undefined) return [];
  const mirror = await fetchMirror(store, changes[0].repository, { signal });
  const states: ReviewedChange[] = [];
  for (const change of changes) states.push(await readChange(store.git, mirror, change));
  return states;
}

async function readChange(git: Git, mirror: string, change: ChangeAtOrigin): Promise<ReviewedChange> {
  const head = await resolveCommit(git, mirror, `refs/forge/heads/${change.branch}`);
  const seen = { ...NOTHING, head, reviews: [] };
  const base = await resolveCommit(git, mirror, `refs/forge/heads/${change.baseBranch}`);
  if (base === undefined || (await resolveCommit(git, mirror, change.headCommit)) === undefined) return seen;
  if (await contains(git, mirror, base, change.headCommit)) return { ...seen, state: 'merged' };
  const { conflicts } = await mergedTree(git, mirror, base, head ?? change.headCommit);
  if (conflicts.length === 0) return { ...seen, mergeable: 'yes' };
  return { ...seen, mergeable: 'conflicts', mergeReason: namedFiles(conflicts) };
}

// Fast-forward where the base has not moved, else a merge commit. ERR_MERGE_CONFLICT names the files;
// ERR_BRANCH_CHECKED_OUT the command to type where the base branch is somebody's working copy.
async function mergeInMirror(
  { store, author }: { store: RepositoryStore; author: Author },
  change: ChangeAtOrigin,
  method: MergeMethod | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { origin } = change.repository;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const mirror = await fetchMirror(store, change.repository, { signal });
    const base = await branchCommit(store.git, mirror, origin, change.baseBranch);
    const head = await headOf(store.git, mirror, change);
    if (await contains(store.git, mirror, base, head)) return;
    const commit = await mergeCommit(store.git, { mirror, base, head, change, author, method });
    const push = { mirror, origin, branch: change.baseBranch, commit, expected: base, signal };
    const result = await pushBranch(store.git, push);
    if (result.answer === 'pushed') return;
    if (result.answer !== 'stale') throw notPushed(change, result);
  }
  throw new AutocodeError(
    'ERR_CONFLICT',
    `The branch ${change.baseBranch} moved ${TRIES} times while change ${change.id} was merged.`,
    { remedy: 'Try again.' },
  );
}

// A squashed or rebased merge is seen by its content: merging once more would change nothing.
async function contains(git: Git, mirror: string, base: string, head: string): Promise<boolean> {
  const ancestor = await git.run(['merge-base', '--is-ancestor', head, base], {
    gitDir: mirror,
    accept: [1],
  });
  if (ancestor.exitCode === 0) return true;
  const { tree, conflicts } = await mergedTree(git, mirror, base, head);
  return (
    conflicts.length === 0 && tree === (await git.text(['rev-parse', `${base}^{tree}`], { gitDir: mirror }))
  );
}

// The branch as the forge has it, with what a reviewer may have added; without one, what was submitted.
async function headOf(git: Git, mirror: string, change: ChangeAtOrigin): Promise<string> {
  return (await resolveCommit(git, mirror, `refs/forge/heads/${change.branch}`)) ?? change.headCommit;
}

interface Merge {
  mirror: string;
  base: string;
  head: string;
  change: ChangeAtOrigin;
  author: Author;
  method: MergeMethod | null;
}

async function mergeCommit(git: Git, merge: Merge): Promise<string> {
  const { mirror, base, head, change, author, method } = merge;
  const forward = await git.run(['merge-base', '--is-ancestor', base, head], { gitDir: mirror, accept: [1] });
  if (forward.exitCode === 0 && method !== 'squash') return head;
  if (method === 'rebase') throw notRebased(change);
  const merged = await mergedTree(git, mirror, base, head);
  if (merged.conflicts.length > 0) throw conflict(change, merged.conflicts);
  const [parents, message] =
    method === 'squash'
      ? [['-p', base], `${change.title}\n`]
      : [
          ['-p', base, '-p', head],
          `Merge branch '${change.branch}' into ${change.baseBranch}\n\n${change.title}\n`,
        ];
  return await git.text(['commit-tree', ...parents, '-F', '-', merged.tree], {
    gitDir: mirror,
    input: message,
    env: authorship(author, new Date()),
  });
}

function notRebased({ id, branch, baseBranch }: ChangeAtOrigin): AutocodeError {
  return new AutocodeError(
    'ERR_FORGE_REFUSED',
    `Change ${id} cannot be merged by rebase: ${baseBranch} has moved since, and a plain repository has nothing that rebases.`,
    {
      remedy: `Rebase ${branch} by hand, or choose another way with \`autocode project set PROJECT --merge-method squash\`.`,
    },
  );
}

function conflict({ id, branch, baseBranch }: ChangeAtOrigin, files: string[]): AutocodeError {
  return new AutocodeError(
    'ERR_MERGE_CONFLICT',
    `Change ${id} conflicts with ${baseBranch} in ${namedFiles(files)}.`,
    {
      remedy: `Have it put right with \`autocode change resolve ${id}\`, or merge ${branch} by hand.`,
      details: { files: files.slice(0, 100) },
    },
  );
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
