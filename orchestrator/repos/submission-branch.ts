// The branch of a result at its origin: its name, what the mirror notes of it, and the push. Used by submission.
import { AutocodeError } from '../../protocol/errors.ts';
import { branchName } from './branch-name.ts';
import type { Git } from './git.ts';
import { unlockRef } from './mirror.ts';
import { pushBranch, remoteBranch } from './push.ts';
import type { RecordedChange } from './submission-record.ts';

/** What the forge refuses as it is: another try would not do. */
export const REFUSED = 'ERR_CONFLICT';
const BRANCH_NAMES = 20;

/** A commit that is to become a branch of an origin. */
export interface BranchOf {
  run: string;
  task: number;
  title: string;
  origin: string;
  mirror: string;
  commit: string;
  change: RecordedChange | null;
}

/**
 * Settles the name. Before a push the mirror notes it as refs/submitted/<run>/<branch>: the note keeps the commit, tells a
 * later try which branch was chosen, and tells our own commits at the forge from other people's.
 */
export async function noteBranch(
  git: Git,
  result: BranchOf,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { mirror, run, task, commit, change } = result;
  const notes = await readNotes(git, mirror, task);
  const branch = change?.branch ?? notes[0]?.branch ?? (await freeBranch(git, result, signal));
  const note = `refs/submitted/${run}/${branch}`;
  await unlockRef(mirror, note);
  await git.run(['update-ref', note, commit], { gitDir: mirror });
  return branch;
}

async function readNotes(
  git: Git,
  mirror: string,
  task: number,
): Promise<{ branch: string; commit: string }[]> {
  const format = '--format=%(objectname) %(refname:lstrip=3)';
  const listing = await git.text(['for-each-ref', format, `refs/submitted/${task}-*/**`], { gitDir: mirror });
  return listing
    .split('\n')
    .filter(Boolean)
    .map((line) => ({ commit: line.slice(0, line.indexOf(' ')), branch: line.slice(line.indexOf(' ') + 1) }));
}

// Another installation, or this one before it was set up anew, may have used the name for its task of this number.
async function freeBranch(
  git: Git,
  { origin, task, title }: BranchOf,
  signal: AbortSignal | undefined,
): Promise<string> {
  for (let attempt = 1; attempt <= BRANCH_NAMES; attempt++) {
    const branch = branchName(task, title, attempt);
    if ((await remoteBranch(git, origin, branch, signal)) === undefined) return branch;
  }
  throw new AutocodeError(
    REFUSED,
    `${origin} has ${BRANCH_NAMES} branches named like ${branchName(task, title)} already.`,
  );
}

/** Pushes the branch, unless it is there already. ERR_CONFLICT where the origin refuses it or somebody else was there. */
export async function pushOnce(
  git: Git,
  { origin, task, mirror, commit, change }: BranchOf,
  branch: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const expected = await remoteBranch(git, origin, branch, signal);
  if (expected === commit) return; // pushed before a crash
  const ours = [change?.headCommit, ...(await readNotes(git, mirror, task)).map((note) => note.commit)];
  if (expected !== undefined && !ours.includes(expected)) throw foreignCommits(origin, branch);
  const result = await pushBranch(git, { mirror, origin, branch, commit, expected, signal });
  if (result.answer === 'pushed') return;
  if (result.answer === 'stale') {
    if ((await remoteBranch(git, origin, branch, signal)) === commit) return; // by a push from before a crash
    throw foreignCommits(origin, branch);
  }
  const said = result.answer === 'refused' ? result.reason : 'the branch is checked out there';
  throw new AutocodeError(REFUSED, `${origin} refused the branch ${branch}: ${said}`);
}

function foreignCommits(origin: string, branch: string): AutocodeError {
  return new AutocodeError(
    REFUSED,
    `The branch ${branch} of ${origin} has commits that are not Autocode's; they were left as they are.`,
  );
}
