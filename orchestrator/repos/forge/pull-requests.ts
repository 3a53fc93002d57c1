// What forges with pull requests have in common. Used by them alone.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ChangeAtOrigin } from '../changes.ts';
import type { CommitStatus, ReviewedChange } from './forge.ts';
import type { ForgeApi } from './forge-http.ts';

const AT_ONCE = 4;

/** The number of a change's pull request. */
export function numberOf({ id, number, forge }: ChangeAtOrigin): number {
  if (number !== null) return number;
  throw new AutocodeError('ERR_STATE', `Change ${id} has no pull request on the forge ${forge}.`, {
    remedy: 'It was submitted before its project named the forge: merge or close its branch by hand.',
  });
}

/** Reads changes by their numbers, some at a time. */
export async function readEach(
  changes: ChangeAtOrigin[],
  read: (number: number) => Promise<ReviewedChange>,
): Promise<ReviewedChange[]> {
  const states: ReviewedChange[] = [];
  for (let from = 0; from < changes.length; from += AT_ONCE) {
    const some = changes.slice(from, from + AT_ONCE);
    states.push(...(await Promise.all(some.map((change) => read(numberOf(change))))));
  }
  return states;
}

/** Asks users and teams (`owner/team`) for the reviews that `asked` does not have (teams as `/team`); who could not be asked. */
export async function askReviewers(
  api: ForgeApi,
  pull: string,
  wanted: string[],
  asked: (string | undefined)[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const known = new Set(asked.map((name) => name?.toLowerCase()));
  const missing = wanted.filter((reviewer) => {
    const [name = '', team] = reviewer.toLowerCase().split('/');
    return !known.has(team === undefined ? name : `/${team}`);
  });
  return await askEach(missing, async (reviewer) => {
    const [name, team] = reviewer.split('/');
    const json = team === undefined ? { reviewers: [name] } : { team_reviewers: [team] };
    await api.request('POST', `${pull}/requested_reviewers`, { answer: z.unknown(), json, signal });
  });
}

/** Sets the statuses of a commit that are not `set` already; of several with one context the first of those is the last one set. */
export async function setStatuses(
  api: ForgeApi,
  path: string,
  wanted: CommitStatus[],
  set: { context: string; state: string; description: string | null }[],
  { descriptionMax, signal }: { descriptionMax: number; signal: AbortSignal | undefined },
): Promise<void> {
  for (const { context, passed, description: whole } of wanted) {
    const state = passed === null ? 'pending' : passed ? 'success' : 'failure';
    const description = whole.slice(0, descriptionMax);
    const last = set.find((candidate) => candidate.context === context);
    if (last?.state === state && last.description === description) continue;
    await api.request('POST', path, { answer: z.unknown(), json: { context, state, description }, signal });
  }
}

/** Asks for reviews one by one: a forge refuses all of a list that has one name it does not know. Who could not be asked. */
async function askEach(reviewers: string[], ask: (reviewer: string) => Promise<void>): Promise<string[]> {
  const notes: string[] = [];
  for (const reviewer of reviewers) {
    try {
      await ask(reviewer);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      notes.push(`${reviewer} could not be asked for a review: ${error.message}`);
    }
  }
  return notes;
}

/** The forge did not want it, or does not know it: asking again does not help. */
export function isRefusal(error: unknown): error is AutocodeError {
  return error instanceof AutocodeError && ['ERR_FORGE_REFUSED', 'ERR_NOT_FOUND'].includes(error.code);
}

/** The same refusal, and what to do about it. */
export function withRemedy(error: AutocodeError, remedy: string): AutocodeError {
  const { code, message, details, cause } = error;
  return new AutocodeError(code, message, { remedy, details, cause });
}

/** The credential does not allow what submission needs; `missing` says what, after the forge's name. */
export function accessDenied(forge: string, missing: string, remedy: string): AutocodeError {
  return new AutocodeError('ERR_FORGE_DENIED', `On the forge ${forge} ${missing}.`, { remedy });
}

/** A change cannot be merged since somebody closed it at the forge. */
export function notOpen({ id, url }: ChangeAtOrigin): AutocodeError {
  return new AutocodeError('ERR_FORGE_REFUSED', `Change ${id} is closed at the forge: ${url}`, {
    remedy: 'Open it again there; or retry its task, which does.',
  });
}

/** A change cannot be merged since it conflicts with its base. */
export function conflicts({ id, branch, baseBranch, url }: ChangeAtOrigin, cause?: unknown): AutocodeError {
  return new AutocodeError('ERR_MERGE_CONFLICT', `Change ${id} conflicts with ${baseBranch}: ${url}`, {
    remedy: `Have it put right with \`autocode change resolve ${id}\`, or merge ${baseBranch} into ${branch} by hand.`,
    cause,
  });
}
