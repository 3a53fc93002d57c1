// The routes of the stand-in for GitHub: what each answers and what it does. Used by fake-github.ts.
import type { CheckRun, Pull, Repository, State, Token } from './fake-github-state.ts';
import {
  invalid,
  nextNumber,
  ownerOf,
  Refusal,
  rightOf,
  shownPull,
  shownRepository,
  shownUser,
} from './fake-github-state.ts';

export interface Call {
  state: State;
  url: URL;
  token: Token;
  repository: Repository;
  /** What follows the repository in the path, or all of it. */
  parameters: string[];
  input: Record<string, unknown>;
}

type Handler = (call: Call) => unknown;

/** Refuses what the token may not do, and names what would do. */
export function permit({ permissions }: Token, permission: string): void {
  if (permissions === null || permissions[permission] === 'write') return;
  throw new Refusal(403, 'Resource not accessible by personal access token', {
    headers: { 'x-accepted-github-permissions': `${permission}=write` },
  });
}

function writable({ repository, token }: Call, permission: string): void {
  if (repository.archived) throw new Refusal(403, 'Repository was archived so is read-only.');
  if (rightOf(repository, token) !== 'write') throw new Refusal(403, 'Must have push access to repository.');
  permit(token, permission);
}

function pullOf({ repository, parameters }: Call): Pull {
  const found = repository.pulls.find(({ number }) => String(number) === parameters[0]);
  if (found === undefined) throw new Refusal(404, 'Not Found');
  return found;
}

const listPulls: Handler = async ({ state, url, repository }) => {
  const [wanted, head] = [url.searchParams.get('state') ?? 'open', url.searchParams.get('head')];
  const found = repository.pulls.filter(
    (pull) =>
      (wanted === 'all' || pull.state === wanted) &&
      (head === null || head === `${ownerOf(repository.path)}:${pull.head}`),
  );
  return await Promise.all(found.toReversed().map((pull) => shownPull(state, repository, pull, false)));
};

const openPull: Handler = async (call) => {
  const { state, repository, token, input } = call;
  writable(call, 'pull_requests');
  const { head, base, title, body, draft } = input as Record<string, string> & { draft?: boolean };
  const branches = await state.site.branches(String(repository.id));
  if (!branches.includes(base!)) throw invalid({ field: 'base', code: 'invalid' });
  if (!branches.includes(head!)) throw invalid({ field: 'head', code: 'invalid' });
  if (repository.pulls.some((pull) => pull.state === 'open' && pull.head === head && pull.base === base)) {
    const message = `A pull request already exists for ${ownerOf(repository.path)}:${head}.`;
    throw invalid({ code: 'custom', message });
  }
  if (draft === true && !repository.drafts)
    throw new Refusal(422, 'Draft pull requests are not supported in this repository.');
  const pull: Pull = {
    number: nextNumber(repository),
    title: title!,
    body: body ?? null,
    state: 'open',
    draft: draft ?? false,
    head: head!,
    base: base!,
    author: token.user,
    labels: [],
    reviewers: [],
    teams: [],
    comments: [],
    approvals: 0,
    mergedAt: null,
    mergeCommit: null,
    sha: undefined,
    looked: '',
  };
  repository.pulls.push(pull);
  return await shownPull(state, repository, pull, true);
};

const changePull: Handler = async (call) => {
  const { state, repository, input } = call;
  writable(call, 'pull_requests');
  const pull = pullOf(call);
  const name = String(repository.id);
  const { title = pull.title, body = pull.body, base = pull.base } = input as Partial<Pull>;
  if (!(await state.site.branches(name)).includes(base)) throw invalid({ field: 'base', code: 'invalid' });
  if (input.state === 'open' && pull.state === 'closed') {
    const kept = pull.sha !== undefined && (await state.site.contains(name, pull.head, pull.sha));
    const message = `state cannot be changed. The ${pull.head} branch was force-pushed or recreated.`;
    if (!kept) throw invalid({ field: 'state', code: 'invalid', message });
  }
  if (input.state === 'closed' && pull.state === 'open')
    pull.sha = await state.site.head(name, `refs/heads/${pull.head}`);
  Object.assign(pull, { title, body, base, state: input.state ?? pull.state });
  return await shownPull(state, repository, pull, true);
};

const mergePull: Handler = async (call) => {
  const { state, repository, input } = call;
  writable(call, 'contents');
  const pull = pullOf(call);
  const name = String(repository.id);
  const method = (input.merge_method ?? 'merge') as 'merge' | 'squash' | 'rebase';
  if (!repository.methods.has(method)) {
    const kind = method === 'merge' ? 'Merge commits' : `${method === 'squash' ? 'Squash' : 'Rebase'} merges`;
    throw new Refusal(405, `${kind} are not allowed on this repository.`);
  }
  if (pull.draft) throw new Refusal(405, 'Pull Request is still a draft');
  if (pull.state === 'closed' || !(await state.site.merges(name, pull.base, pull.head)))
    throw new Refusal(405, 'Pull Request is not mergeable');
  if (pull.approvals < repository.approvalsRequired) {
    const count = repository.approvalsRequired;
    throw new Refusal(405, `At least ${count} approving review is required by reviewers with write access.`);
  }
  const sha = await state.site.head(name, `refs/heads/${pull.head}`);
  if (input.sha !== undefined && input.sha !== sha)
    throw new Refusal(409, 'Head branch was modified. Review and try the merge again.');
  const title =
    method === 'squash' ? `${pull.title} (#${pull.number})` : `Merge pull request #${pull.number}`;
  pull.mergeCommit = await state.site.merge(name, pull.base, pull.head, method, title);
  Object.assign(pull, { state: 'closed', sha, mergedAt: new Date().toISOString() });
  return { sha: pull.mergeCommit, merged: true, message: 'Pull Request successfully merged' };
};

const askReviewers: Handler = async (call) => {
  const { state, repository, input } = call;
  writable(call, 'pull_requests');
  const pull = pullOf(call);
  const { reviewers = [], team_reviewers: teams = [] } = input as Record<string, string[]>;
  for (const user of reviewers) {
    if (user === pull.author) throw new Refusal(422, 'Review cannot be requested from pull request author.');
    if (!repository.members.has(user)) {
      throw new Refusal(
        422,
        `Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the ${repository.path} repository.`,
      );
    }
    pull.reviewers.push(user);
  }
  for (const team of teams) {
    if (!repository.teams.includes(team))
      throw new Refusal(422, 'Could not resolve to a node with the slug.');
    pull.teams.push(team);
  }
  return await shownPull(state, repository, pull, true);
};

function issueOf({ repository, parameters }: Call) {
  const isWanted = ({ number }: { number: number }) => String(number) === parameters[0];
  const found = repository.issues.find(isWanted) ?? repository.pulls.find(isWanted);
  if (found === undefined) throw new Refusal(404, 'Not Found');
  return found;
}

const addLabels: Handler = (call) => {
  writable(call, 'pull_requests');
  const { labels } = call.input as { labels: string[] };
  const issue = issueOf(call);
  for (const name of labels) call.repository.labels.add(name);
  issue.labels = [...new Set([...issue.labels, ...labels])];
  return issue.labels.map((name) => ({ name }));
};

const shownIssue: Handler = (call) => {
  const issue = issueOf(call);
  const isPull = 'head' in issue;
  return {
    number: issue.number,
    html_url: `${call.state.base}/${call.repository.path}/${isPull ? 'pull' : 'issues'}/${issue.number}`,
    title: issue.title,
    body: issue.body,
    state: issue.state,
    user: shownUser(issue.author),
    labels: issue.labels.map((name) => ({ name })),
    comments: issue.comments.length,
    ...(isPull ? { pull_request: { url: 'x' } } : {}),
  };
};

const addStatus: Handler = (call) => {
  writable(call, 'statuses');
  const { context, state, description } = call.input as Record<string, string>;
  if (description!.length > 140)
    throw invalid({
      field: 'description',
      code: 'custom',
      message: 'description is too long (maximum is 140 characters)',
    });
  const made = { sha: call.parameters[0]!, context: context!, state: state!, description: description! };
  call.repository.statuses.push(made);
  return made;
};

const shownRun = ({ id, name, conclusion, title, sha }: CheckRun) => ({
  id,
  name,
  head_sha: sha,
  status: 'completed',
  conclusion,
  output: { title, summary: title },
});

const saveCheckRun: Handler = (call) => {
  const { repository, token, input, parameters } = call;
  if (token.installation === undefined) {
    const app = 'You must authenticate via a GitHub App.';
    throw new Refusal(403, app);
  }
  writable(call, 'checks');
  const {
    name,
    conclusion,
    head_sha: sha,
    output,
  } = input as Record<string, string> & {
    output: { title: string };
  };
  const there = repository.checkRuns.find(({ id }) => String(id) === parameters[0]);
  const id = repository.checkRuns.length + 1;
  const app = token.installation.app;
  const run = there ?? { id, app, sha: sha!, name: name!, conclusion: '', title: '' };
  Object.assign(run, { conclusion, title: output.title });
  if (there === undefined) repository.checkRuns.push(run);
  return shownRun(run);
};

/** Those below `/repos/{owner}/{name}`. */
export const REPOSITORY_ROUTES: [string, Handler][] = [
  ['GET ', ({ state, repository, token }) => shownRepository(state, repository, token)],
  ['GET /pulls', listPulls],
  ['POST /pulls', openPull],
  ['GET /pulls/:n', async (call) => await shownPull(call.state, call.repository, pullOf(call), true)],
  ['PATCH /pulls/:n', changePull],
  ['PUT /pulls/:n/merge', mergePull],
  ['POST /pulls/:n/requested_reviewers', askReviewers],
  ['POST /issues/:n/labels', addLabels],
  ['GET /issues/:n', shownIssue],
  ['POST /statuses/:sha', addStatus],
  [
    'GET /commits/:sha/statuses',
    ({ repository, parameters }) =>
      repository.statuses.filter(({ sha }) => sha === parameters[0]).toReversed(),
  ],
  [
    'GET /commits/:sha/check-runs',
    ({ repository, parameters }) => {
      const runs = repository.checkRuns.filter(({ sha }) => sha === parameters[0]).map(shownRun);
      return { total_count: runs.length, check_runs: runs };
    },
  ],
  ['POST /check-runs', saveCheckRun],
  ['PATCH /check-runs/:id', saveCheckRun],
];

/** `markPullRequestReadyForReview`, which REST does not have. */
export function graphQl(state: State, token: Token, { query, variables }: Record<string, unknown>): object {
  const { id } = variables as { id: string };
  const [, repositoryId, number] = id.split('_');
  const repository = state.repositories.find((each) => String(each.id) === repositoryId);
  const pull = repository?.pulls.find((each) => String(each.number) === number);
  const isKnown = String(query).includes('markPullRequestReadyForReview');
  if (repository === undefined || pull === undefined || !isKnown)
    return {
      data: null,
      errors: [{ type: 'NOT_FOUND', message: `Could not resolve to a node with the global id of '${id}'.` }],
    };
  if (rightOf(repository, token) !== 'write' || (token.permissions?.pull_requests ?? 'write') !== 'write')
    return {
      data: null,
      errors: [{ type: 'FORBIDDEN', message: 'Resource not accessible by personal access token' }],
    };
  pull.draft = false;
  return { data: { markPullRequestReadyForReview: { clientMutationId: null } } };
}
