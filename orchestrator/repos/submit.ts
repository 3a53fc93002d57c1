// From a verified run to branches and their changes, one a repository: all of them are opened, or none. Every step may be
// repeated: a crash between any two of them is mended by calling submitRun again. Used by the scheduler.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Finding } from '../../protocol/submission.ts';
import type { Refusal } from '../../protocol/traffic.ts';
import { transaction } from '../db/connect.ts';
import type { Database } from '../db/connect.ts';
import type { Redactor } from '../redaction/redactor.ts';
import { isCancelRequested } from '../tasks/cancel.ts';
import type { RetryPolicy } from '../tasks/ending.ts';
import {
  submissionCancelled,
  submissionEmpty,
  submissionFailed,
  submittedRun,
} from '../tasks/submission-state.ts';
import { resolveCommit } from './base.ts';
import { changeBody } from './change-body.ts';
import type { Sibling } from './change-body.ts';
import { checkResult } from './checks/check.ts';
import type { Proposed } from './forge/forge.ts';
import { forgeOf } from './forge/forges.ts';
import type { Forges } from './forge/forges.ts';
import { codeOwners, requestTitle, statusesOf, withTemplate } from './forge/proposal.ts';
import { closeChange } from './merge.ts';
import { repositoryPath } from './mirror.ts';
import type { RepositoryStore } from './mirror.ts';
import { moveResults } from './stacked.ts';
import { noteBranch, pushOnce, REFUSED } from './submission-branch.ts';
import { commitMessage, writeCommit } from './submission-commit.ts';
import type { Author } from './submission-commit.ts';
import { openChangesOf, readSubmission, recordChange } from './submission-record.ts';
import type { Result, Submission } from './submission-record.ts';

export interface SubmitDeps {
  db: Database;
  store: RepositoryStore;
  author: Author;
  forges: Forges;
  currency: string;
  policy: RetryPolicy;
  /** What tells secrets that are kept; absent: none is known. */
  redactor?: (() => Redactor) | undefined;
  /** What a run asked for outside and did not get, since a time; absent where there is no way out. */
  refusals?: ((run: string, since: Date) => Promise<Refusal[]>) | undefined;
}

/** A result that differs from its base: the one commit that it becomes, and the branch that this gets. */
interface Delivery {
  result: Result;
  mirror: string;
  commit: string;
  branch: string;
  notes: Finding[];
}

/** A delivery whose change is open. */
interface Opened extends Delivery {
  id: number;
  url: string | null;
  body: string;
}

const REFUSALS: string[] = [REFUSED, 'ERR_FORGE_REFUSED'];
/** What a result was built upon has changed, and it does not fit any more. */
const NOT_MOVED = 'ERR_MERGE_CONFLICT';

/**
 * Submits a run that is in state `submitting`; any other is left alone. What the checks or the forge refuse fails the run;
 * all else, as a forge that cannot be reached, is thrown and leaves the run for another try.
 */
export async function submitRun(deps: SubmitDeps, run: string, signal?: AbortSignal): Promise<void> {
  const submission = await readSubmission(deps.db, run);
  if (submission === undefined) return;
  if (submission.refused !== null) return await refuse(deps, run, submission.refused);
  try {
    if (!isBegun(submission) && (await moveResults(deps, submission, signal)))
      return await submitRun(deps, run, signal);
    await submit(deps, submission, signal);
  } catch (error) {
    if (!(error instanceof AutocodeError)) throw error;
    if (error.code === NOT_MOVED)
      return await submissionFailed(deps.db, run, { cause: 'platform', reason: error.message }, deps.policy);
    if (!REFUSALS.includes(error.code)) throw error;
    await refuse(deps, run, error.message);
  }
}

/** Ends a submission that was tried often enough; what it has opened is closed where that can be done. */
export async function giveUpSubmission(deps: SubmitDeps, run: string, reason: string): Promise<void> {
  let told = reason;
  try {
    await takeBack(deps, run, reason);
  } catch (error) {
    const open = (await openChangesOf(deps.db, run)).map(({ id }) => id).join(', ');
    told += ` What was opened of it is still open (change ${open}): ${error instanceof Error ? error.message : String(error)}`;
  }
  await submissionFailed(deps.db, run, { cause: 'platform', reason: told }, deps.policy);
}

async function refuse(deps: SubmitDeps, run: string, reason: string): Promise<void> {
  await deps.db.query('update run set refused = $2 where id = $1', [run, reason]);
  await takeBack(deps, run, reason);
  await submissionFailed(deps.db, run, { cause: 'input', reason }, deps.policy);
}

// All or none: the changes that are open already are closed again. Their branches stay.
async function takeBack(deps: SubmitDeps, run: string, reason: string): Promise<void> {
  const comment = `Closed: a change that belongs to this one could not be opened. ${reason}`;
  for (const { id, number } of await openChangesOf(deps.db, run))
    await closeChange(deps, id, number === null ? undefined : comment);
}

async function submit(
  deps: SubmitDeps,
  submission: Submission,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { db, store, policy } = deps;
  const { run, task, title } = submission;
  const begun = isBegun(submission);
  if (!begun && (await isCancelRequested(db, run))) return await submissionCancelled(db, run);
  const changed = await changedResults(deps, submission);
  if (changed.length === 0) return await submissionEmpty(db, run);
  const parts = changed.map(({ result, mirror, commit }) => ({
    repository: result.name,
    mirror,
    base: result.baseCommit,
    head: commit,
  }));
  const { refusal, warnings } = await checkResult(db, store.git, run, parts, deps.redactor?.().forms);
  if (refusal !== undefined)
    return await submissionFailed(db, run, { cause: 'agent', reason: refusal }, policy);
  const deliveries: Delivery[] = [];
  for (const { result, mirror, commit } of changed) {
    const branch = await noteBranch(store.git, { ...result, run, task, title, mirror, commit }, signal);
    const notes = warnings.filter(({ repository }) => repository === undefined || repository === result.name);
    deliveries.push({ result, mirror, commit, branch, notes });
  }
  if (!begun && (await isCancelRequested(db, run))) return await submissionCancelled(db, run);
  for (const { result, mirror, commit, branch } of deliveries)
    await pushOnce(store.git, { ...result, run, task, title, mirror, commit }, branch, signal);
  const opened: Opened[] = [];
  for (const delivery of deliveries) opened.push(await open(deps, submission, delivery, signal));
  if (opened.length > 1) await link(deps, submission, opened, signal);
  await submittedRun(db, run, { changes: opened.map(({ id }) => id) });
}

/** Whether a change of this very run is there already. */
function isBegun({ run, results }: Submission): boolean {
  return results.some(({ change }) => change?.run === run);
}

async function changedResults(
  { store, author, redactor }: SubmitDeps,
  submission: Submission,
): Promise<{ result: Result; mirror: string; commit: string }[]> {
  const changed = [];
  for (const result of submission.results) {
    const { baseCommit: base, headCommit: head, repository } = result;
    const mirror = repositoryPath(store, repository, 'mirror.git');
    if ((await resolveCommit(store.git, mirror, head)) === undefined) {
      throw new AutocodeError(
        'ERR_INTERNAL',
        `The mirror of ${result.name} has no commit ${head}, the result of run ${submission.run}.`,
      );
    }
    const written = commitMessage(submission);
    const message = redactor?.().text(written) ?? written;
    const date = submission.createdAt;
    const commit = await writeCommit(store.git, { mirror, base, head, message, author, date });
    if (commit !== undefined) changed.push({ result, mirror, commit });
  }
  return changed;
}

// The pull request, before the change is recorded: a crash in between finds it at the forge, by its branch.
async function open(
  deps: SubmitDeps,
  submission: Submission,
  delivery: Delivery,
  signal: AbortSignal | undefined,
): Promise<Opened> {
  const { result, commit } = delivery;
  const before = result.change?.run === submission.run ? result.change : null;
  if (before?.state === 'closed') {
    throw new AutocodeError(
      REFUSED,
      `Change ${before.id} was closed before all changes of the task were open.`,
    );
  }
  if (before?.headCommit === commit) return { ...delivery, ...before };
  const body = await bodyOf(deps, submission, delivery, []);
  const proposed = await propose(deps, submission, { ...delivery, body }, signal);
  const id = await transaction(
    deps.db,
    async (tx) => await recordChange(tx, submission, result, { ...delivery, ...proposed, body }),
  );
  return { ...delivery, id, url: proposed.url, body };
}

// Each change tells of the others, now that all have an address.
async function link(
  deps: SubmitDeps,
  submission: Submission,
  opened: Opened[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const one of opened) {
    const together = opened
      .filter((other) => other !== one)
      .map(({ result, id, url, branch }) => ({
        repository: result.name,
        place: url ?? `change ${id}, branch ${branch}`,
      }));
    const body = await bodyOf(deps, submission, one, together);
    if (body === one.body) continue;
    await propose(deps, submission, { ...one, body }, signal);
    await deps.db.query('update change set body = $2, updated_at = now() where id = $1', [one.id, body]);
  }
}

async function bodyOf(
  { store, currency, refusals: refusalsOf }: SubmitDeps,
  submission: Submission,
  { result, mirror, notes }: Delivery,
  together: Sibling[],
): Promise<string> {
  const { source } = submission;
  const closes = source?.repository === result.repository ? source.number : null;
  const refusals = (await refusalsOf?.(submission.run, submission.createdAt)) ?? [];
  const { below } = result;
  const text = changeBody({ ...submission, currency, notes, refusals, together, closes, below });
  return await withTemplate({ git: store.git, mirror, commit: result.baseCommit }, text);
}

async function propose(
  deps: SubmitDeps,
  submission: Submission,
  { result, mirror, branch, commit, body }: Delivery & { body: string },
  signal: AbortSignal | undefined,
): Promise<Proposed> {
  const { title, draft, labels, checks, reviewers } = submission;
  const { baseBranch, baseCommit } = result;
  const owners = await codeOwners({ git: deps.store.git, mirror, commit: baseCommit }, commit);
  const forge = await forgeOf(deps, result);
  const proposal = {
    branch,
    baseBranch,
    commit,
    title: requestTitle(title),
    body,
    draft,
    reviewers: [...new Set([...reviewers, ...owners])],
    labels,
    statuses: statusesOf(checks),
  };
  return await forge.propose(proposal, signal);
}
