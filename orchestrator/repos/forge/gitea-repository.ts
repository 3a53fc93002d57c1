// A repository on a Gitea server: pull requests, reviewers, labels, commit statuses, merges. Every step looks first
// what is there, so that a submission that was cut off anywhere is finished by the next. Used by gitea.ts.
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { MergeMethod } from '../../../protocol/project.ts';
import type { ChangeAtOrigin } from '../changes.ts';
import type { CommitStatus, Forge, ForgeChange, Proposal } from './forge.ts';
import type { ForgeApi } from './forge-http.ts';
import { giteaActivity } from './gitea-activity.ts';
import { baseRules, mergeabilityOf, reviewsAt } from './gitea-reviews.ts';
import { giteaTalk } from './gitea-talk.ts';
import {
  accessDenied,
  askReviewers,
  conflicts,
  isRefusal,
  notOpen,
  numberOf,
  readEach,
  setStatuses,
} from './pull-requests.ts';

const User = z.object({ login: z.string() });
const Label = z.object({ id: z.number(), name: z.string() });
const PullRequest = z.object({
  number: z.number(),
  html_url: z.string(),
  title: z.string(),
  body: z.string(),
  state: z.enum(['open', 'closed']),
  merged: z.boolean(),
  draft: z.boolean().nullish(),
  mergeable: z.boolean(),
  merge_commit_sha: z.string().nullish(),
  user: User,
  head: z.object({ ref: z.string(), sha: z.string() }),
  base: z.object({ ref: z.string() }),
  labels: z.array(Label).nullish(),
  requested_reviewers: z.array(User.nullable()).nullish(),
  requested_reviewers_teams: z.array(z.object({ name: z.string() })).nullish(),
});
type PullRequest = z.infer<typeof PullRequest>;
const Issue = z.object({
  number: z.number(),
  html_url: z.string(),
  title: z.string(),
  body: z.string(),
  state: z.enum(['open', 'closed']),
  user: User,
  labels: z.array(Label).nullish(),
});
const Comment = z.object({ user: User, body: z.string() });
const Status = z.object({ context: z.string(), status: z.string(), description: z.string() });
const Repository = z.object({
  default_merge_style: z.string(),
  permissions: z.object({ push: z.boolean() }),
  has_pull_requests: z.boolean(),
});

const LABEL_COLOUR = '#8a8f98';
const MERGE_TRIES = 40;
const MERGE_PAUSE_MS = 250;
// A title that begins so is that of a draft, unless the server is configured otherwise.
const DRAFT = 'WIP: ';
const DESCRIPTION_MAX = 255;
// Gitea looks in the background whether a branch merges, after each push.
const STILL_LOOKING = /try again later/i;
// The merge itself did not succeed: no words of its own come with that, as they do with every other 409.
const CONFLICT = /\(409\): Conflict$/;

/** One repository's forge; `path` is `owner/name`. */
export function giteaRepository(api: ForgeApi, path: string): Forge {
  const repository = `/repos/${path.split('/').map(encodeURIComponent).join('/')}`;
  const pull = (number: number) => `${repository}/pulls/${number}`;
  const issue = (number: number) => `${repository}/issues/${number}`;

  const get = async (number: number, signal?: AbortSignal) =>
    await api.request('GET', pull(number), { answer: PullRequest, signal });

  async function propose(proposal: Proposal, signal?: AbortSignal) {
    const request = await openOrUpdate(api, repository, proposal, signal);
    await addLabels(api, repository, request, proposal.labels, signal);
    const asked = askedOf(request);
    const notes = await askReviewers(api, pull(request.number), proposal.reviewers, asked, signal);
    await setCommitStatuses(api, repository, proposal.commit, proposal.statuses, signal);
    return { ...shown(request), notes };
  }

  async function merge(change: ChangeAtOrigin, method: MergeMethod | null, signal?: AbortSignal) {
    const number = numberOf(change);
    const info = await api.request('GET', repository, { answer: Repository, signal });
    for (let attempt = 1; ; attempt++) {
      const request = await get(number, signal);
      if (request.merged) return;
      if (request.state === 'closed') throw notOpen(change);
      await makeReady(request, signal);
      // What was looked at is what is merged: a commit that came in between is refused by the forge.
      const json = { Do: method ?? info.default_merge_style, head_commit_id: request.head.sha };
      try {
        await api.request('POST', `${pull(number)}/merge`, { answer: z.unknown(), json, signal });
        return;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        const soon = STILL_LOOKING.test(error.message);
        if (soon && attempt < MERGE_TRIES) await delay(MERGE_PAUSE_MS, undefined, { signal });
        else if (CONFLICT.test(error.message) || (soon && !(await get(number, signal)).mergeable)) {
          throw conflicts(change, error);
        } else throw error;
      }
    }
  }

  async function makeReady({ number, draft, title }: PullRequest, signal: AbortSignal | undefined) {
    if (draft !== true) return;
    const json = { title: withoutDraft(title) };
    await api.request('PATCH', pull(number), { answer: z.unknown(), json, signal });
  }

  async function readIssue(number: number, signal?: AbortSignal) {
    const found = await api.request('GET', issue(number), { answer: Issue, signal });
    const comments = await api.request('GET', `${issue(number)}/comments`, {
      answer: z.array(Comment), // of all pages: this list has none
      signal,
    });
    return {
      number,
      url: found.html_url,
      title: found.title,
      body: found.body,
      labels: (found.labels ?? []).map(({ name }) => name),
      author: found.user.login,
      state: found.state,
      comments: comments.map(({ user, body }) => ({ author: user.login, body })),
    };
  }

  return {
    check: async (signal) => await checkAccess(api, repository, path, signal),
    propose,
    read: async (changes, signal) => {
      const rules = baseRules(api, repository, signal);
      return await readEach(changes, async (number) => {
        const request = await get(number, signal);
        if (request.state === 'closed') return { ...shown(request), reviews: [] };
        const { reviews, approvals } = await reviewsAt(api, pull(number), request.user.login, signal);
        const mergeability = mergeabilityOf(request, approvals, await rules(request.base.ref));
        return { ...shown(request), ...mergeability, reviews };
      });
    },
    merge,
    retarget: async (change, from, signal) => {
      const { number, state, base } = await get(numberOf(change), signal);
      if (state === 'closed' || base.ref !== from) return;
      const json = { base: change.baseBranch };
      await api.request('PATCH', pull(number), { answer: z.unknown(), json, signal });
    },
    issue: readIssue,
    activity: async (query, signal) => await giteaActivity(api, repository, path, query, signal),
    tell: async ({ commit }, statuses, signal) =>
      await setCommitStatuses(api, repository, commit, statuses, signal),
    talk: giteaTalk(api, repository),
    comment: async (change, body) => {
      await api.request('POST', `${issue(numberOf(change))}/comments`, {
        answer: z.unknown(),
        json: { body },
      });
    },
    close: async (change) => {
      const number = numberOf(change);
      if ((await get(number)).state === 'closed') return;
      await api.request('PATCH', pull(number), { answer: z.unknown(), json: { state: 'closed' } });
    },
  };
}

async function checkAccess(
  api: ForgeApi,
  repository: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const answer = await api.request('GET', repository, { answer: Repository, signal });
  const missing = !answer.permissions.push
    ? `the user of the token may not push to ${path}`
    : answer.has_pull_requests
      ? undefined
      : `${path} has pull requests switched off`;
  if (missing === undefined) return;
  throw accessDenied(
    api.name,
    missing,
    'Make the user a collaborator who may write, or switch them on in the settings of the repository.',
  );
}

// One branch has one pull request: the open one, else a closed one is opened again, else a new one.
async function openOrUpdate(
  api: ForgeApi,
  repository: string,
  { branch, baseBranch, title: wanted, body, draft }: Proposal,
  signal: AbortSignal | undefined,
): Promise<PullRequest> {
  const found = await findRequest(api, repository, baseBranch, branch, signal);
  const isDraft = draft && (found?.state !== 'open' || found.draft === true);
  const title = isDraft ? DRAFT + wanted : wanted;
  if (found === undefined) {
    const json = { base: baseBranch, head: branch, title, body };
    return await api.request('POST', `${repository}/pulls`, { answer: PullRequest, json, signal });
  }
  if (found.state === 'open' && found.title === title && found.body === body) return found;
  const json = { title, body, ...(found.state === 'open' ? {} : { state: 'open' }) };
  return await api.request('PATCH', `${repository}/pulls/${found.number}`, {
    answer: PullRequest,
    json,
    signal,
  });
}

async function findRequest(
  api: ForgeApi,
  repository: string,
  baseBranch: string,
  branch: string,
  signal: AbortSignal | undefined,
): Promise<PullRequest | undefined> {
  const path = `${repository}/pulls/${encodeURIComponent(baseBranch)}/${encodeURIComponent(branch)}`;
  const any = await api.request('GET', path, { answer: PullRequest, signal }).catch((error: unknown) => {
    if (error instanceof AutocodeError && error.code === 'ERR_NOT_FOUND') return undefined;
    throw error;
  });
  if (any === undefined || (any.state === 'open' && any.head.ref === branch)) return any;
  // That one is over; the branch may have had others since.
  const query = { state: 'all', sort: 'recentupdate', base_branch: baseBranch };
  const all = await api.all(`${repository}/pulls`, { answer: z.array(PullRequest), query, signal });
  const ofBranch = all.filter((request) => request.head.ref === branch && !request.merged);
  return ofBranch.find((request) => request.state === 'open') ?? ofBranch[0];
}

async function addLabels(
  api: ForgeApi,
  repository: string,
  request: PullRequest,
  wanted: string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const missing = wanted.filter((name) => request.labels?.every((label) => label.name !== name) ?? true);
  if (missing.length === 0) return;
  const known = await api.all(`${repository}/labels`, { answer: z.array(Label), signal });
  const labels: number[] = [];
  for (const name of missing) {
    const json = { name, color: LABEL_COLOUR, description: 'Set by Autocode' };
    const label =
      known.find((candidate) => candidate.name === name) ??
      (await api.request('POST', `${repository}/labels`, { answer: Label, json, signal }));
    labels.push(label.id);
  }
  const path = `${repository}/issues/${request.number}/labels`;
  await api.request('POST', path, { answer: z.unknown(), json: { labels }, signal });
}

function askedOf(request: PullRequest): (string | undefined)[] {
  return [
    request.user.login, // nobody reviews his own
    ...(request.requested_reviewers ?? []).map((user) => user?.login),
    ...(request.requested_reviewers_teams ?? []).map((team) => `/${team.name}`),
  ];
}

async function setCommitStatuses(
  api: ForgeApi,
  repository: string,
  commit: string,
  wanted: CommitStatus[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (wanted.length === 0) return;
  const path = `${repository}/statuses/${commit}`;
  const query = { sort: 'recentupdate' };
  const there = await api.all(path, { answer: z.array(Status), query, signal });
  const set = there.map(({ context, status: state, description }) => ({ context, state, description }));
  await setStatuses(api, path, wanted, set, { descriptionMax: DESCRIPTION_MAX, signal });
}

function shown(request: PullRequest): ForgeChange {
  const { number, html_url: url, head, base, draft, merged, merge_commit_sha: mergedCommit } = request;
  return {
    number,
    url,
    state: merged ? 'merged' : request.state,
    head: head.sha === '' ? undefined : head.sha,
    mergedCommit: merged ? (mergedCommit ?? undefined) : undefined,
    base: base.ref,
    mergeable: 'unknown',
    mergeReason: null,
    draft: draft === true,
  };
}

function withoutDraft(title: string): string {
  return title.replace(/^(WIP:|\[WIP\])\s*/i, '');
}
