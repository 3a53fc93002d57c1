// What a pull request on GitHub has beside its text: labels, reviewers, statuses and check runs of its commit.
// Used by github-repository.ts.
import { z } from 'zod';
import type { CommitStatus } from './forge.ts';
import type { ForgeApi } from './forge-http.ts';
import { CheckRuns, Status } from './github-shapes.ts';
import type { PullRequest } from './github-shapes.ts';
import { askEach } from './pull-requests.ts';

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

/** Asks for the reviews that were not asked for yet; who could not be asked. */
export async function askReviewers(
  api: ForgeApi,
  pull: string,
  request: PullRequest,
  wanted: string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const asked = new Set([
    request.user?.login.toLowerCase(), // nobody reviews his own
    ...(request.requested_reviewers ?? []).map(({ login }) => login.toLowerCase()),
    ...(request.requested_teams ?? []).map(({ slug }) => `/${slug.toLowerCase()}`),
  ]);
  const missing = wanted.filter((reviewer) => {
    const [name = '', team] = reviewer.toLowerCase().split('/');
    return !asked.has(team === undefined ? name : `/${team}`);
  });
  return await askEach(missing, async (reviewer) => {
    const [name, team] = reviewer.split('/');
    const json = team === undefined ? { reviewers: [name] } : { team_reviewers: [team] };
    await api.request('POST', `${pull}/requested_reviewers`, { answer: z.unknown(), json, signal });
  });
}

/** Statuses of a commit, as a token may set them. */
export async function setStatuses(
  api: ForgeApi,
  repository: string,
  commit: string,
  wanted: CommitStatus[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (wanted.length === 0) return;
  const list = `${repository}/commits/${commit}/statuses`; // the newest first
  const set = await api.all(list, { answer: z.array(Status), signal });
  for (const status of wanted) {
    const { context } = status;
    const description = status.description.slice(0, DESCRIPTION_MAX);
    const state = status.passed ? 'success' : 'failure';
    const last = set.find((candidate) => candidate.context === context);
    if (last?.state === state && last.description === description) continue;
    const json = { context, state, description };
    await api.request('POST', `${repository}/statuses/${commit}`, { answer: z.unknown(), json, signal });
  }
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
    const conclusion = passed ? 'success' : 'failure';
    const last = set.find((candidate) => candidate.name === name);
    if (last?.conclusion === conclusion && last.output.title === title) continue;
    const json = { name, status: 'completed', conclusion, output: { title, summary: title } };
    const [method, route] =
      last === undefined
        ? (['POST', `${repository}/check-runs`] as const)
        : (['PATCH', `${repository}/check-runs/${last.id}`] as const);
    const where = last === undefined ? { head_sha: commit } : {};
    await api.request(method, route, { answer: z.unknown(), json: { ...json, ...where }, signal });
  }
}
