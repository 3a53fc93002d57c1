// What a pull request on GitHub has beside its text: labels, reviewers, statuses and check runs of its commit.
// Used by github-repository.ts.
import { z } from 'zod';
import type { CommitStatus } from './forge.ts';
import type { ForgeApi } from './forge-http.ts';
import { CheckRuns, Status } from './github-shapes.ts';
import type { PullRequest } from './github-shapes.ts';
import { setStatuses } from './pull-requests.ts';

const DESCRIPTION_MAX = 140;

/** Adds those that it does not have; GitHub makes labels that the repository does not have. */
export async function addLabels(
  api: ForgeApi,
  issue: string,
  request: PullRequest,
  wanted: string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const there = new Set(request.labels.map(({ name }) => name.toLowerCase()));
  const labels = wanted.filter((name) => !there.has(name.toLowerCase()));
  if (labels.length === 0) return;
  await api.request('POST', `${issue}/labels`, { answer: z.unknown(), json: { labels }, signal });
}

/** Users and teams that were asked for a review, and who made the request: nobody reviews his own. */
export function askedOf(request: PullRequest): (string | undefined)[] {
  return [
    request.user?.login,
    ...(request.requested_reviewers ?? []).map(({ login }) => login),
    ...(request.requested_teams ?? []).map(({ slug }) => `/${slug}`),
  ];
}

/** Statuses of a commit, as a token may set them. */
export async function setCommitStatuses(
  api: ForgeApi,
  repository: string,
  commit: string,
  wanted: CommitStatus[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (wanted.length === 0) return;
  const list = `${repository}/commits/${commit}/statuses`; // the newest first
  const set = await api.all(list, { answer: z.array(Status), signal });
  const limits = { descriptionMax: DESCRIPTION_MAX, signal };
  await setStatuses(api, `${repository}/statuses/${commit}`, wanted, set, limits);
}

/** Check runs of a commit, which only an App may make. */
export async function setCheckRuns(
  api: ForgeApi,
  repository: string,
  commit: string,
  wanted: CommitStatus[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (wanted.length === 0) return;
  const list = `${repository}/commits/${commit}/check-runs`;
  const set = await api.all(list, { answer: CheckRuns, query: { filter: 'latest' }, signal });
  for (const { context: name, passed, description: title } of wanted) {
    const conclusion = passed === null ? null : passed ? 'success' : 'failure';
    const last = set.find((candidate) => candidate.name === name);
    if (last?.conclusion === conclusion && last.output.title === title) continue;
    const state = conclusion === null ? { status: 'in_progress' } : { status: 'completed', conclusion };
    const json = { name, ...state, output: { title, summary: title } };
    const [method, route] =
      last === undefined
        ? (['POST', `${repository}/check-runs`] as const)
        : (['PATCH', `${repository}/check-runs/${last.id}`] as const);
    const where = last === undefined ? { head_sha: commit } : {};
    await api.request(method, route, { answer: z.unknown(), json: { ...json, ...where }, signal });
  }
}
