// A project on a GitLab server: merge requests, reviewers, labels, commit statuses, issues. It is looked up by its path
// for each piece of work and then named by its number, so that one that was renamed is followed. Every step looks first
// what is there. Used by gitlab.ts; merges are in gitlab-merge.ts.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ChangeAtOrigin } from '../changes.ts';
import type { CommitStatus, Forge, ForgeChange, Proposal } from './forge.ts';
import type { ForgeApi } from './forge-http.ts';
import { gitlabActivity } from './gitlab-activity.ts';
import { mergeabilityOf, mergeAtGitlab } from './gitlab-merge.ts';
import { reviewsAt } from './gitlab-reviews.ts';
import { Issue, MergeRequest, Note, Project, Status, titled, User } from './gitlab-shapes.ts';
import { gitlabTalk } from './gitlab-talk.ts';
import { accessDenied, isRefusal, numberOf, readEach } from './pull-requests.ts';

const DEVELOPER = 30;
const DESCRIPTION_MAX = 255;
const AT_ONCE = 100; // merge requests by one list

/** One project's forge; `path` is `group/…/name`. */
export function gitlabRepository(api: ForgeApi, path: string): Forge {
  const find = async (signal?: AbortSignal) =>
    await api.request('GET', `/projects/${encodeURIComponent(path)}`, { answer: Project, signal });

  async function propose(proposal: Proposal, signal?: AbortSignal) {
    const project = await find(signal);
    const { ids, notes } = await reviewersOf(api, proposal.reviewers, signal);
    const request = await openOrUpdate(api, project, proposal, [...ids.values()], signal);
    const asked = new Set((request.reviewers ?? []).map(({ id }) => id));
    for (const [name, id] of ids) {
      // Without a licence for more GitLab takes one alone, and it leaves out whoever cannot see the project.
      if (!asked.has(id)) notes.push(`${name} could not be asked for a review: GitLab left the name out.`);
    }
    notes.push(...(await setStatuses(api, project, proposal, signal)));
    return { ...shown(request), notes };
  }

  async function read(changes: ChangeAtOrigin[], signal?: AbortSignal) {
    const { id } = await find(signal);
    const found = new Map<number, MergeRequest>();
    for (let from = 0; from < changes.length; from += AT_ONCE) {
      const query = changes.slice(from, from + AT_ONCE).map((change) => `iids[]=${numberOf(change)}`);
      // Whether they merge is found out anew after that, where it is not known.
      const list = `/projects/${id}/merge_requests?${query.join('&')}&with_merge_status_recheck=true`;
      for (const request of await api.all(list, { answer: z.array(MergeRequest), signal })) {
        found.set(request.iid, request);
      }
    }
    return await readEach(changes, async (number) => {
      const request = found.get(number);
      if (request === undefined) {
        throw new AutocodeError('ERR_NOT_FOUND', `The forge ${api.name} has no ${path}!${number}.`, {
          remedy: 'It was deleted there: close the change with `autocode change close`.',
        });
      }
      const route = `/projects/${id}/merge_requests/${number}`;
      const isOpen = request.state === 'opened';
      return { ...shown(request), reviews: isOpen ? await reviewsAt(api, route, request, signal) : [] };
    });
  }

  async function issue(number: number, signal?: AbortSignal) {
    const { id } = await find(signal);
    const address = `/projects/${id}/issues/${number}`;
    const found = await api.request('GET', address, { answer: Issue, signal });
    const query = { order_by: 'created_at', sort: 'asc' };
    const notes = await api.all(`${address}/notes`, { answer: z.array(Note), query, signal });
    return {
      number,
      url: found.web_url,
      title: found.title,
      body: found.description ?? '',
      labels: found.labels,
      author: found.author.username,
      state: found.state === 'opened' ? ('open' as const) : ('closed' as const),
      comments: notes
        .filter(({ system }) => !system)
        .map(({ author, body }) => ({ author: author.username, body })),
    };
  }

  return {
    check: async (signal) => await checkAccess(api, await find(signal), signal),
    propose,
    read,
    issue,
    activity: async (query, signal) => {
      const { id, http_url_to_repo: url } = await find(signal);
      const web = url.replace(/\.git$/, '');
      return await gitlabActivity({ api, path, project: `/projects/${id}`, web, signal }, query);
    },
    tell: async (at, statuses, signal) =>
      void (await setStatuses(api, await find(signal), { ...at, statuses }, signal)),
    talk: gitlabTalk(api, async (signal) => `/projects/${(await find(signal)).id}`),
    merge: async (change, method, signal) =>
      await mergeAtGitlab(api, await find(signal), change, method, signal),
    comment: async (change, body) => {
      const { id } = await find();
      const address = `/projects/${id}/merge_requests/${numberOf(change)}/notes`;
      await api.request('POST', address, { answer: z.unknown(), json: { body } });
    },
    retarget: async (change, from, signal) => {
      const { id } = await find(signal);
      const address = `/projects/${id}/merge_requests/${numberOf(change)}`;
      const { state, target_branch: base } = await api.request('GET', address, {
        answer: MergeRequest,
        signal,
      });
      if (state !== 'opened' || base !== from) return;
      const json = { target_branch: change.baseBranch };
      await api.request('PUT', address, { answer: z.unknown(), json, signal });
    },
    close: async (change) => {
      const { id } = await find();
      const address = `/projects/${id}/merge_requests/${numberOf(change)}`;
      const { state } = await api.request('GET', address, { answer: MergeRequest });
      if (state !== 'opened') return;
      await api.request('PUT', address, { answer: z.unknown(), json: { state_event: 'close' } });
    },
  };
}

async function checkAccess(
  api: ForgeApi,
  { id, path_with_namespace: path, ...project }: Project,
  signal: AbortSignal | undefined,
): Promise<void> {
  const denied = (missing: string, remedy: string) => accessDenied(api.name, missing, remedy);
  if (project.archived) throw denied(`${path} is archived`, 'Unarchive it in its settings.');
  if (project.merge_requests_enabled === false) {
    throw denied(`${path} has merge requests switched off`, 'Switch them on in its settings.');
  }
  const scopes = await scopesOf(api, signal);
  if (scopes !== undefined && !scopes.includes('api')) {
    throw denied(
      `the token has the scopes ${scopes.join(', ')} and not api`,
      `Give another with \`autocode project set PROJECT --forge ${api.name} --forge-token-file FILE\`.`,
    );
  }
  const { id: user, username } = await api.request('GET', '/user', { answer: User, signal });
  const member = await orUndefined(
    api.request('GET', `/projects/${id}/members/all/${user}`, {
      answer: z.object({ access_level: z.number() }),
      signal,
    }),
  );
  if ((member?.access_level ?? 0) >= DEVELOPER) return;
  throw denied(`the user of the token may not push to ${path}`, `Give ${username} the role Developer there.`);
}

// What a token may do; undefined where it is one that does not tell, as OAuth's.
async function scopesOf(api: ForgeApi, signal: AbortSignal | undefined): Promise<string[] | undefined> {
  const answer = z.object({ scopes: z.array(z.string()) });
  return (await orUndefined(api.request('GET', '/personal_access_tokens/self', { answer, signal })))?.scopes;
}

async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  return await answer.catch((error: unknown) => {
    if (isRefusal(error)) return undefined;
    throw error;
  });
}

// The numbers of those who shall review, by their names, and who cannot be asked.
async function reviewersOf(
  api: ForgeApi,
  reviewers: string[],
  signal: AbortSignal | undefined,
): Promise<{ ids: Map<string, number>; notes: string[] }> {
  const ids = new Map<string, number>();
  const notes: string[] = [];
  if (reviewers.length === 0) return { ids, notes };
  const self = await api.request('GET', '/user', { answer: User, signal });
  for (const name of reviewers) {
    if (name.toLowerCase() === self.username.toLowerCase()) continue; // nobody reviews his own
    const not = (why: string) => notes.push(`${name} could not be asked for a review: ${why}`);
    if (name.includes('/')) {
      not('on GitLab that is a user, not a group.');
      continue;
    }
    const options = { answer: z.array(User), query: { username: name }, signal };
    const [user] = await api.request('GET', '/users', options);
    if (user === undefined) not(`there is no such user on ${api.name}.`);
    else ids.set(name, user.id);
  }
  return { ids, notes };
}

// One branch has one merge request: the open one, else a closed one is opened again, else a new one. All that it shall
// have goes with one request; GitLab makes labels that are missing.
async function openOrUpdate(
  api: ForgeApi,
  { id }: Project,
  { branch, baseBranch, title: wanted, body, draft, labels }: Proposal,
  reviewers: number[],
  signal: AbortSignal | undefined,
): Promise<MergeRequest> {
  const address = `/projects/${id}/merge_requests`;
  const query = { source_branch: branch, target_branch: baseBranch, state: 'all' };
  const all = await api.all(address, { answer: z.array(MergeRequest), query, signal });
  const found = all.find(({ state }) => state === 'opened') ?? all.find(({ state }) => state === 'closed');
  const isOpen = found?.state === 'opened';
  const title = titled(wanted, draft && (!isOpen || found.draft === true));
  if (found === undefined) {
    const json = {
      source_branch: branch,
      target_branch: baseBranch,
      title,
      description: body,
      labels: labels.join(','),
      reviewer_ids: reviewers,
    };
    return await api.request('POST', address, { answer: MergeRequest, json, signal });
  }
  const asked = (found.reviewers ?? []).map((user) => user.id);
  const newLabels = labels.filter((label) => !found.labels.includes(label));
  const newReviewers = reviewers.filter((reviewer) => !asked.includes(reviewer));
  const isDone = isOpen && found.title === title && found.description === body;
  if (isDone && newLabels.length === 0 && newReviewers.length === 0) return found;
  const json = {
    title,
    description: body,
    ...(isOpen ? {} : { state_event: 'reopen' }),
    ...(newLabels.length === 0 ? {} : { add_labels: newLabels.join(',') }),
    ...(newReviewers.length === 0 ? {} : { reviewer_ids: [...asked, ...newReviewers] }),
  };
  return await api.request('PUT', `${address}/${found.iid}`, { answer: MergeRequest, json, signal });
}

// A status that is refused, as where a pipeline of the commit has ended, does not stop the change.
async function setStatuses(
  api: ForgeApi,
  { id }: Project,
  { branch, commit, statuses }: Pick<Proposal, 'branch' | 'commit' | 'statuses'>,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  if (statuses.length === 0) return [];
  const list = `/projects/${id}/repository/commits/${commit}/statuses`;
  const set = await api.all(list, { answer: z.array(Status), signal });
  const notes: string[] = [];
  for (const status of statuses.map(asGitlab)) {
    const last = set.find(({ name }) => name === status.name);
    if (last?.status === status.state && last.description === status.description) continue;
    const json = { ...status, ref: branch };
    const address = `/projects/${id}/statuses/${commit}`;
    try {
      await api.request('POST', address, { answer: z.unknown(), json, signal });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      notes.push(`the status ${status.name} could not be set: ${error.message}`);
    }
  }
  return notes;
}

function asGitlab({ context, passed, description }: CommitStatus) {
  return {
    name: context,
    state: passed === null ? 'running' : passed ? 'success' : 'failed',
    description: description.slice(0, DESCRIPTION_MAX),
  };
}

function shown(request: MergeRequest): ForgeChange {
  const { iid: number, web_url: url, state, sha } = request;
  const isMerged = state === 'merged';
  const by = request.merge_commit_sha ?? request.squash_commit_sha ?? sha;
  return {
    number,
    url,
    state: isMerged ? 'merged' : state === 'closed' ? 'closed' : 'open',
    head: sha ?? undefined,
    mergedCommit: isMerged ? (by ?? undefined) : undefined,
    base: request.target_branch,
    draft: request.draft === true,
    ...mergeabilityOf(request),
  };
}
