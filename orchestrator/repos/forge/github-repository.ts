// A repository on GitHub: its pull requests and issues. Every step looks first what is there, so that a submission that
// was cut off anywhere is finished by the next. Used by github.ts.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { MergeMethod } from '../../../protocol/project.ts';
import type { ChangeAtOrigin } from '../changes.ts';
import type { Forge, ForgeChange, ForgeIssue, Proposal } from './forge.ts';
import type { ForgeApi } from './forge-http.ts';
import { githubActivity } from './github-activity.ts';
import { addLabels, askedOf, setCheckRuns, setCommitStatuses } from './github-details.ts';
import { mergePullRequest } from './github-merge.ts';
import type { GitHubPlace } from './github-place.ts';
import { makeReady, repositoryRoute } from './github-place.ts';
import { Comment, Issue, PullRequest, Repository } from './github-shapes.ts';
import { mergeabilityOf, reviewsAt } from './github-reviews.ts';
import { githubTalk } from './github-talk.ts';
import { accessDenied, askReviewers, isRefusal, numberOf, readEach, withRemedy } from './pull-requests.ts';

const NEEDED = ['contents', 'pull_requests', 'checks'];
/** One repository's forge. */
export function githubRepository(place: GitHubPlace): Forge {
  const { api, path } = place;
  const repository = repositoryRoute(path);
  const pull = (number: number) => `${repository}/pulls/${number}`;
  const issue = (number: number) => `${repository}/issues/${number}`;
  const get = async (number: number, signal?: AbortSignal) =>
    await api.request('GET', pull(number), { answer: PullRequest, signal });

  async function tell(commit: string, statuses: Proposal['statuses'], signal?: AbortSignal) {
    const set = (await place.asApp()) === undefined ? setCommitStatuses : setCheckRuns;
    await set(api, repository, commit, statuses, signal);
  }

  async function propose(proposal: Proposal, signal?: AbortSignal) {
    const request = await openOrUpdate(place, proposal, signal);
    await addLabels(api, issue(request.number), request, proposal.labels, signal);
    const asked = askedOf(request);
    const notes = await askReviewers(api, pull(request.number), proposal.reviewers, asked, signal);
    await tell(proposal.commit, proposal.statuses, signal);
    return { ...shown(request), notes };
  }

  return {
    check: async (signal) => await checkAccess(place, signal),
    propose,
    read: async (changes, signal) =>
      await readEach(changes, async (number) => {
        const request = await get(number, signal);
        const isOpen = request.state === 'open';
        return {
          ...shown(request),
          reviews: isOpen ? await reviewsAt(api, pull(number), request, signal) : [],
        };
      }),
    retarget: async (change, from, signal) => {
      const number = numberOf(change);
      const { state, base } = await get(number, signal);
      if (state === 'closed' || base.ref !== from) return;
      const json = { base: change.baseBranch };
      await api.request('PATCH', pull(number), { answer: z.unknown(), json, signal });
    },
    merge: async (change: ChangeAtOrigin, method: MergeMethod | null, signal?: AbortSignal) =>
      await mergePullRequest(place, change, method, signal),
    comment: async (change, body) => {
      const route = `${issue(numberOf(change))}/comments`;
      await api.request('POST', route, { answer: z.unknown(), json: { body } });
    },
    close: async (change) => {
      const number = numberOf(change);
      if ((await get(number)).state === 'closed') return;
      await api.request('PATCH', pull(number), { answer: z.unknown(), json: { state: 'closed' } });
    },
    activity: async (query, signal) => await githubActivity(api, repository, path, query, signal),
    issue: async (number, signal) => await readIssue(api, issue(number), signal),
    tell: async ({ commit }, statuses, signal) => await tell(commit, statuses, signal),
    talk: githubTalk(api, repository),
  };
}

async function checkAccess(
  { api, path, asApp }: GitHubPlace,
  signal: AbortSignal | undefined,
): Promise<void> {
  const app = await asApp();
  const route = repositoryRoute(path);
  const info = await api.request('GET', route, { answer: Repository, signal });
  if (info.archived) throw accessDenied(api.name, `${path} is archived`, 'Unarchive it in its settings.');
  if (info.has_pull_requests === false) {
    const remedy = 'Switch them on in the settings of the repository.';
    throw accessDenied(api.name, `${path} has pull requests switched off`, remedy);
  }
  if (app === undefined) {
    if (info.permissions?.push !== false) return;
    const remedy = 'Make the user a collaborator who may write, or take a token of another.';
    throw accessDenied(api.name, `the user of the token may not push to ${path}`, remedy);
  }
  const missing = NEEDED.filter((permission) => app.permissions[permission] !== 'write');
  if (missing.length === 0) return;
  const remedy = `Give it read and write access in the App's settings, and accept that in the installation.`;
  throw accessDenied(api.name, `the App may not write to ${path}: ${missing.join(', ')}`, remedy);
}

// One branch has one pull request: the open one, else a closed one is opened again, else a new one.
async function openOrUpdate(
  place: GitHubPlace,
  proposal: Proposal,
  signal: AbortSignal | undefined,
): Promise<PullRequest> {
  const { api } = place;
  const { title, body, draft } = proposal;
  const found = await findRequest(place, proposal.branch, signal);
  if (found === undefined) return await openRequest(place, proposal, signal);
  const route = `${repositoryRoute(place.path)}/pulls/${found.number}`;
  if (found.state === 'closed') {
    // GitHub does not open one again whose branch was pushed to with force meanwhile.
    const json = { title, body, state: 'open' };
    return await api
      .request('PATCH', route, { answer: PullRequest, json, signal })
      .catch(async (error: unknown) => {
        if (!isRefusal(error)) throw error;
        return await openRequest(place, proposal, signal);
      });
  }
  if (found.draft && !draft) await makeReady(place, found, signal);
  if (found.title === title && (found.body ?? '') === body) return found;
  return await api.request('PATCH', route, { answer: PullRequest, json: { title, body }, signal });
}

async function findRequest(
  { api, path }: GitHubPlace,
  branch: string,
  signal: AbortSignal | undefined,
): Promise<PullRequest | undefined> {
  const route = repositoryRoute(path);
  // By the name that it has now: its owner may have been renamed.
  const { owner } = await api.request('GET', route, { answer: Repository, signal });
  const query = { head: `${owner.login}:${branch}`, state: 'all', sort: 'updated', direction: 'desc' };
  const all = await api.all(`${route}/pulls`, { answer: z.array(PullRequest), query, signal });
  const ours = all.filter(
    ({ head, base, merged_at: mergedAt }) =>
      head.ref === branch && head.repo?.id === base.repo.id && mergedAt === null,
  );
  return ours.find(({ state }) => state === 'open') ?? ours[0];
}

async function openRequest(
  place: GitHubPlace,
  { branch, baseBranch, title, body, draft }: Proposal,
  signal: AbortSignal | undefined,
): Promise<PullRequest> {
  const { api, path } = place;
  const json = { base: baseBranch, head: branch, title, body, draft };
  try {
    return await api.request('POST', `${repositoryRoute(path)}/pulls`, { answer: PullRequest, json, signal });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    // The list of them may be behind.
    const there = /already exists/i.test(error.message)
      ? await findRequest(place, branch, signal)
      : undefined;
    if (there !== undefined) return there;
    throw withRemedy(error, remedyFor(error.message, baseBranch));
  }
}

function remedyFor(said: string, baseBranch: string): string {
  if (/draft/i.test(said))
    return 'The plan of this repository has no drafts: `autocode project set PROJECT --no-draft`, then `autocode task retry`.';
  if (/\bbase\b/i.test(said))
    return `The branch ${baseBranch} may be gone or renamed: \`autocode project set PROJECT --branch NAME\`, then give the task again.`;
  return 'The branch stays: open its pull request by hand, or put right what is refused and `autocode task retry`.';
}

async function readIssue(api: ForgeApi, route: string, signal: AbortSignal | undefined): Promise<ForgeIssue> {
  const found = await api.request('GET', route, { answer: Issue, signal });
  if (found.pull_request !== undefined)
    throw new AutocodeError('ERR_NOT_FOUND', `${found.html_url} is a pull request and no issue.`);
  const comments = await api.all(`${route}/comments`, { answer: z.array(Comment), signal });
  return {
    number: found.number,
    url: found.html_url,
    title: found.title,
    body: found.body ?? '',
    labels: found.labels.map((label) => (typeof label === 'string' ? label : label.name)),
    author: found.user?.login ?? 'ghost',
    state: found.state,
    comments: comments.map(({ user, body }) => ({ author: user?.login ?? 'ghost', body: body ?? '' })),
  };
}

function shown(request: PullRequest): ForgeChange {
  const { number, html_url: url, head, base, draft, merged_at: mergedAt } = request;
  const merged = mergedAt !== null;
  return {
    number,
    url,
    state: merged ? 'merged' : request.state,
    head: head.sha,
    mergedCommit: merged ? (request.merge_commit_sha ?? undefined) : undefined,
    base: base.ref,
    draft,
    ...mergeabilityOf(request),
  };
}
