// From a verified run to a branch and its change. Every step may be repeated: a crash between any two of them is
// mended by calling submitRun again. Used by the scheduler.
import { AutocodeError } from '../../protocol/errors.ts';
import { transaction } from '../db/connect.ts';
import type { Database } from '../db/connect.ts';
import { isCancelRequested } from '../tasks/cancel.ts';
import type { RetryPolicy } from '../tasks/ending.ts';
import {
  submissionCancelled,
  submissionEmpty,
  submissionFailed,
  submittedRun,
} from '../tasks/submission-state.ts';
import { resolveCommit } from './base.ts';
import { branchName } from './branch-name.ts';
import { changeBody } from './change-body.ts';
import { checkResult } from './checks/check.ts';
import type { Proposed } from './forge/forge.ts';
import { forgeOf } from './forge/forges.ts';
import type { Forges } from './forge/forges.ts';
import { codeOwners, statusesOf, withTemplate } from './forge/proposal.ts';
import type { Git } from './git.ts';
import { repositoryPath, unlockRef } from './mirror.ts';
import type { RepositoryStore } from './mirror.ts';
import { pushBranch, remoteBranch } from './push.ts';
import { commitMessage, writeCommit } from './submission-commit.ts';
import type { Author } from './submission-commit.ts';
import { readSubmission, recordChange } from './submission-record.ts';
import type { Submission } from './submission-record.ts';

export interface SubmitDeps {
  db: Database;
  store: RepositoryStore;
  author: Author;
  forges: Forges;
  currency: string;
  policy: RetryPolicy;
}

const REFUSED = 'ERR_CONFLICT';
const REFUSALS: string[] = [REFUSED, 'ERR_FORGE_REFUSED'];
const TITLE_MAX = 250;
const BRANCH_NAMES = 20;

/**
 * Submits a run that is in state `submitting`; any other is left alone. What the checks or the forge refuse fails the run;
 * all else, as a forge that cannot be reached, is thrown and leaves the run for another try.
 */
export async function submitRun(deps: SubmitDeps, run: string, signal?: AbortSignal): Promise<void> {
  const submission = await readSubmission(deps.db, run);
  if (submission === undefined) return;
  try {
    await submit(deps, submission, signal);
  } catch (error) {
    if (!(error instanceof AutocodeError && REFUSALS.includes(error.code))) throw error;
    await submissionFailed(deps.db, run, { cause: 'input', reason: error.message }, deps.policy);
  }
}

async function submit(
  deps: SubmitDeps,
  submission: Submission,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { db, store, currency, policy } = deps;
  const { run, baseCommit: base } = submission;
  const mirror = repositoryPath(store, submission.repository, 'mirror.git');
  if (await isCancelRequested(db, run)) return await submissionCancelled(db, run);
  const commit = await commitOf(deps, submission, mirror);
  if (commit === undefined) return await submissionEmpty(db, run);
  const { refusal, warnings } = await checkResult(db, store.git, { mirror, run, base, head: commit });
  if (refusal !== undefined) {
    return await submissionFailed(db, run, { cause: 'agent', reason: refusal }, policy);
  }
  const branch = await noteBranch(store.git, mirror, submission, commit, signal);
  if (await isCancelRequested(db, run)) return await submissionCancelled(db, run);
  await pushOnce(store.git, mirror, submission, branch, commit, signal);
  const text = changeBody({ ...submission, currency, notes: warnings });
  const body = await withTemplate({ git: store.git, mirror, commit: base }, text);
  const { number, url, notes } = await propose(deps, submission, { mirror, branch, commit, body }, signal);
  await transaction(db, async (tx) => {
    const changeId = await recordChange(tx, submission, { branch, commit, body, number, url, notes });
    await submittedRun(tx, run, { changeId });
  });
}

// The pull request, before the change is recorded: a crash in between finds it at the forge, by its branch.
async function propose(
  deps: SubmitDeps,
  submission: Submission,
  { mirror, branch, commit, body }: { mirror: string; branch: string; commit: string; body: string },
  signal: AbortSignal | undefined,
): Promise<Proposed> {
  const { baseBranch, baseCommit, title, draft, labels, checks, reviewers } = submission;
  const owners = await codeOwners({ git: deps.store.git, mirror, commit: baseCommit }, commit);
  const forge = await forgeOf(deps, submission);
  const proposal = {
    branch,
    baseBranch,
    commit,
    title: title.replace(/\s+/g, ' ').trim().slice(0, TITLE_MAX),
    body,
    draft,
    reviewers: [...new Set([...reviewers, ...owners])],
    labels,
    statuses: statusesOf(checks),
  };
  return await forge.propose(proposal, signal);
}

async function commitOf(
  { store, author }: SubmitDeps,
  submission: Submission,
  mirror: string,
): Promise<string | undefined> {
  const { baseCommit: base, headCommit: head, createdAt: date } = submission;
  if ((await resolveCommit(store.git, mirror, head)) === undefined) {
    throw new AutocodeError(
      'ERR_INTERNAL',
      `The mirror has no commit ${head}, the result of run ${submission.run}.`,
    );
  }
  return await writeCommit(store.git, {
    mirror,
    base,
    head,
    message: commitMessage(submission),
    author,
    date,
  });
}

// Before a push the mirror notes it as refs/submitted/<run>/<branch>. The note keeps the commit, tells a later try
// which branch was chosen, and tells our own commits at the forge from other people's.
async function noteBranch(
  git: Git,
  mirror: string,
  submission: Submission,
  commit: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const notes = await readNotes(git, mirror, submission.task);
  const branch = submission.change?.branch ?? notes[0]?.branch ?? (await freeBranch(git, submission, signal));
  const note = `refs/submitted/${submission.run}/${branch}`;
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
  { origin, task, title }: Submission,
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

async function pushOnce(
  git: Git,
  mirror: string,
  submission: Submission,
  branch: string,
  commit: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { origin, task, change } = submission;
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
