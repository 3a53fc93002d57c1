// A repository on a Gitea server: pull requests, reviewers, labels, commit statuses, merges. Every step looks first
// what is there, so that a submission that was cut off anywhere is finished by the next. Used by forges.ts.
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ChangeAtOrigin } from '../changes.ts';
import type { CommitStatus, Forge, ForgeChange, Proposal } from './forge.ts';
import type { GiteaApi } from './gitea-api.ts';

const User = z.object({ login: z.string() });
const Label = z.object({ id: z.number(), name: z.string() });
const PullRequest = z.object({
  number: z.number(),
  html_url: z.string(),
  title: z.string(),
  body: z.string(),
  state: z.enum(['open', 'closed']),
  merged: z.boolean(),
  mergeable: z.boolean(),
  merge_commit_sha: z.string().nullish(),
  user: User,
  head: z.object({ ref: z.string(), sha: z.string() }),
  labels: z.array(Label).nullish(),
  requested_reviewers: z.array(User.nullable()).nullish(),
  requested_reviewers_teams: z.array(z.object({ name: z.string() })).nullish(),
});
type PullRequest = z.infer<typeof PullRequest>;
const Status = z.object({ context: z.string(), status: z.string(), description: z.string() });
const Repository = z.object({
  default_merge_style: z.string(),
  permissions: z.object({ push: z.boolean() }),
  has_pull_requests: z.boolean(),
});

const LABEL_COLOUR = '#8a8f98';
const MERGE_TRIES = 40;
const MERGE_PAUSE_MS = 250;
const AT_ONCE = 4;
const DESCRIPTION_MAX = 255;
// Gitea looks in the background whether a branch merges, after each push.
const STILL_LOOKING = /try again later/i;

/** One repository's forge; `path` is `owner/name`. */
export function giteaForge(api: GiteaApi, path: string): Forge {
  const repository = `/repos/${path.split('/').map(encodeURIComponent).join('/')}`;
  const pull = (number: number) => `${repository}/pulls/${number}`;
  const issue = (number: number) => `${repository}/issues/${number}`;

  const get = async (number: number, signal?: AbortSignal) =>
    await api.request('GET', pull(number), { answer: PullRequest, signal });

  async function propose(proposal: Proposal, signal?: AbortSignal) {
    const request = await openOrUpdate(api, repository, proposal, signal);
    await addLabels(api, repository, request, proposal.labels, signal);
    const notes = await askReviewers(api, repository, request, proposal.reviewers, signal);
    await setStatuses(api, repository, proposal.commit, proposal.statuses, signal);
    return { ...shown(request), notes };
  }

  async function read(changes: ChangeAtOrigin[], signal?: AbortSignal) {
    const states: ForgeChange[] = [];
    for (let from = 0; from < changes.length; from += AT_ONCE) {
      const some = changes.slice(from, from + AT_ONCE);
      states.push(
        ...(await Promise.all(some.map(async (change) => shown(await get(numberOf(change), signal))))),
      );
    }
    return states;
  }

  async function merge(change: ChangeAtOrigin, signal?: AbortSignal) {
    const number = numberOf(change);
    const { default_merge_style: style } = await api.request('GET', repository, {
      answer: Repository,
      signal,
    });
    for (let attempt = 1; ; attempt++) {
      const { merged, head } = await get(number, signal);
      if (merged) return;
      // What was looked at is what is merged: a commit that came in between is refused by the forge.
      const json = { Do: style, head_commit_id: head.sha };
      try {
        await api.request('POST', `${pull(number)}/merge`, { answer: z.unknown(), json, signal });
        return;
      } catch (error) {
        const soon = error instanceof AutocodeError && STILL_LOOKING.test(error.message);
        if (!soon || attempt === MERGE_TRIES) throw error;
        await delay(MERGE_PAUSE_MS, undefined, { signal });
      }
    }
  }

  return {
    propose,
    read,
    merge,
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

/** Fails where the token's user could not push to the repository or open pull requests there. */
export async function checkGiteaAccess(api: GiteaApi, path: string): Promise<void> {
  const answer = await api.request('GET', `/repos/${path}`, { answer: Repository });
  const missing = !answer.permissions.push
    ? `the user of the token may not push to ${path}`
    : answer.has_pull_requests
      ? undefined
      : `${path} has pull requests switched off`;
  if (missing === undefined) return;
  throw new AutocodeError('ERR_FORGE_DENIED', `On the forge ${api.name} ${missing}.`, {
    remedy:
      'Make the user a collaborator who may write, or switch them on in the settings of the repository.',
  });
}

// One branch has one pull request: the open one, else a closed one is opened again, else a new one.
async function openOrUpdate(
  api: GiteaApi,
  repository: string,
  { branch, baseBranch, title, body }: Proposal,
  signal: AbortSignal | undefined,
): Promise<PullRequest> {
  const found = await findRequest(api, repository, baseBranch, branch, signal);
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
  api: GiteaApi,
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
  const all = await api.all(`${repository}/pulls`, { answer: PullRequest, query, signal });
  const ofBranch = all.filter((request) => request.head.ref === branch && !request.merged);
  return ofBranch.find((request) => request.state === 'open') ?? ofBranch[0];
}

async function addLabels(
  api: GiteaApi,
  repository: string,
  request: PullRequest,
  wanted: string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const missing = wanted.filter((name) => request.labels?.every((label) => label.name !== name) ?? true);
  if (missing.length === 0) return;
  const known = await api.all(`${repository}/labels`, { answer: Label, signal });
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

// Reviewers one by one: the forge refuses all of a list that has one name it does not know.
async function askReviewers(
  api: GiteaApi,
  repository: string,
  request: PullRequest,
  wanted: string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const asked = new Set([
    request.user.login.toLowerCase(), // nobody reviews his own
    ...(request.requested_reviewers ?? []).flatMap((user) => user?.login.toLowerCase() ?? []),
    ...(request.requested_reviewers_teams ?? []).map((team) => `/${team.name.toLowerCase()}`),
  ]);
  const notes: string[] = [];
  for (const reviewer of wanted) {
    const [name = '', team] = reviewer.split('/');
    if (asked.has((team === undefined ? name : `/${team}`).toLowerCase())) continue;
    const json = team === undefined ? { reviewers: [name] } : { team_reviewers: [team] };
    const path = `${repository}/pulls/${request.number}/requested_reviewers`;
    try {
      await api.request('POST', path, { answer: z.unknown(), json, signal });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      notes.push(`${reviewer} could not be asked for a review: ${error.message}`);
    }
  }
  return notes;
}

function isRefusal(error: unknown): error is AutocodeError {
  return error instanceof AutocodeError && ['ERR_FORGE_REFUSED', 'ERR_NOT_FOUND'].includes(error.code);
}

async function setStatuses(
  api: GiteaApi,
  repository: string,
  commit: string,
  wanted: CommitStatus[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (wanted.length === 0) return;
  const path = `${repository}/statuses/${commit}`;
  const set = await api.all(path, { answer: Status, query: { sort: 'recentupdate' }, signal });
  for (const { context, passed, description } of wanted) {
    const status = {
      context,
      state: passed ? 'success' : 'failure',
      description: description.slice(0, DESCRIPTION_MAX),
    };
    const last = set.find((candidate) => candidate.context === context);
    if (last?.status === status.state && last.description === status.description) continue;
    await api.request('POST', path, { answer: z.unknown(), json: status, signal });
  }
}

function shown(request: PullRequest): ForgeChange {
  const { number, html_url: url, head, mergeable, merged, merge_commit_sha: mergedCommit } = request;
  return {
    number,
    url,
    state: merged ? 'merged' : request.state,
    head: head.sha === '' ? undefined : head.sha,
    mergedCommit: merged ? (mergedCommit ?? undefined) : undefined,
    mergeable,
  };
}

function numberOf({ id, number, forge }: ChangeAtOrigin): number {
  if (number !== null) return number;
  throw new AutocodeError('ERR_STATE', `Change ${id} has no pull request on the forge ${forge}.`, {
    remedy: 'It was submitted before its project named the forge: merge or close its branch by hand.',
  });
}
