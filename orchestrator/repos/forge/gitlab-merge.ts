// Merges at GitLab: it looks in the background whether a branch merges, may want it rebased first, and says why not in
// one word, which is put into a sentence here. Used by gitlab-repository.ts.
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { MergeMethod } from '../../../protocol/project.ts';
import type { ChangeAtOrigin } from '../changes.ts';
import type { ForgeChange } from './forge.ts';
import type { ForgeApi } from './forge-http.ts';
import type { Project } from './gitlab-shapes.ts';
import { MergeRequest, titled } from './gitlab-shapes.ts';
import { accessDenied, conflicts, notOpen, numberOf } from './pull-requests.ts';

const TRIES = 40;
const PAUSE_MS = 500;
// Values of detailed_merge_status, and of merge_status before 15.6.
const LOOKING = new Set([
  'unchecked',
  'checking',
  'preparing',
  'approvals_syncing',
  'cannot_be_merged_recheck',
]);
const BLOCKED: Record<string, string> = {
  ci_must_pass: 'its pipeline has to pass',
  ci_still_running: 'its pipeline is still running',
  commits_status: 'its branch is missing or has no commits',
  discussions_not_resolved: 'its threads have to be resolved',
  jira_association_missing: 'its title or description has to name a Jira issue',
  locked_lfs_files: 'files in Git LFS are locked',
  locked_paths: 'paths that it changes are locked',
  merge_request_blocked: 'another merge request blocks it',
  merge_time: 'it may not be merged before a time that was set',
  not_approved: 'approvals are missing',
  requested_changes: 'a reviewer asked for changes',
  security_policy_pipeline_check: 'a security policy wants pipelines to pass',
  security_policy_violations: 'security policies are violated',
  status_checks_must_pass: 'external status checks have to pass',
  title_regex: 'its title is not of the form that the project wants',
};

/** Merges an open change by a method that the project allows, its own where none is named. */
export async function mergeAtGitlab(
  api: ForgeApi,
  project: Project,
  change: ChangeAtOrigin,
  method: MergeMethod | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  const address = `/projects/${project.id}/merge_requests/${numberOf(change)}`;
  const put = async (to: string, json: object) =>
    await api.request('PUT', address + to, { answer: z.unknown(), json, signal });
  let refused: AutocodeError | undefined;
  let isRebased = false;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const query = { include_rebase_in_progress: 'true' };
    const request = await api.request('GET', address, { answer: MergeRequest, query, signal });
    if (request.state === 'merged') return;
    if (request.state === 'closed') throw notOpen(change);
    requireMethod(api, project, method);
    const step = nextStep(request, isRebased);
    if (step === 'merge') {
      // What was looked at is what is merged: a commit that came in between is refused by the forge.
      const json = { sha: request.sha, ...(method === null ? {} : { squash: method === 'squash' }) };
      refused = await put('/merge', json).then(
        () => undefined,
        (error: unknown) => refusalToMerge(error, api, change),
      );
      if (refused === undefined) return;
    } else if (step === 'make ready') await put('', { title: titled(request.title, false) });
    else if (step === 'rebase') {
      await put('/rebase', {});
      isRebased = true;
    } else if (step === 'conflict') throw conflicts(change);
    else if (step !== 'wait') throw blocked(api, request, step.blocked);
    if (step === 'wait' || step === 'merge') await delay(PAUSE_MS, undefined, { signal });
  }
  throw refused ?? blocked(api, { web_url: change.url ?? '' }, 'GitLab is still looking whether it merges');
}

/** Whether it merges as GitLab's own words have it; one that has to be rebased is rebased by a merge. */
export function mergeabilityOf(request: MergeRequest): Pick<ForgeChange, 'mergeable' | 'mergeReason'> {
  const status = request.detailed_merge_status ?? request.merge_status;
  const why = BLOCKED[status];
  if (why !== undefined) return { mergeable: 'blocked', mergeReason: why };
  const conflicting = ['conflict', 'cannot_be_merged'].includes(status) || request.has_conflicts === true;
  if (conflicting && !LOOKING.has(status)) return { mergeable: 'conflicts', mergeReason: null };
  const merges = ['mergeable', 'can_be_merged', 'need_rebase'].includes(status);
  return { mergeable: merges ? 'yes' : 'unknown', mergeReason: null };
}

function nextStep(
  request: MergeRequest,
  isRebased: boolean,
): 'merge' | 'make ready' | 'rebase' | 'wait' | 'conflict' | { blocked: string } {
  const status = request.detailed_merge_status ?? request.merge_status;
  if (request.state === 'locked' || request.rebase_in_progress === true) return 'wait';
  if (request.draft === true) return 'make ready';
  if (LOOKING.has(status)) return 'wait';
  if (status === 'conflict' || request.has_conflicts === true) return 'conflict';
  if (status === 'need_rebase') {
    if (!isRebased) return 'rebase';
    return typeof request.merge_error === 'string' ? { blocked: request.merge_error } : 'wait';
  }
  const why = BLOCKED[status];
  return why === undefined ? 'merge' : { blocked: why }; // a newer GitLab may have more words: it decides
}

// 405 and 422 are said of all that stands in the way, and of a look that is not over: the next look tells which it is.
function refusalToMerge(error: unknown, api: ForgeApi, { baseBranch }: ChangeAtOrigin): AutocodeError {
  if (!(error instanceof AutocodeError)) throw error;
  if (error.code === 'ERR_FORGE_DENIED') {
    // The merge request was just read with the same token: it is the branch that it does not open.
    const missing = `the user of the token may not merge into ${baseBranch}: ${error.message}`;
    throw accessDenied(api.name, missing, `Let it merge into ${baseBranch}, or merge it at the forge.`);
  }
  const { status } = Object(error.details) as { status?: number };
  if (status === 405 || status === 422) return error;
  throw error;
}

// GitLab merges as the project's settings say, but for squashing.
function requireMethod(api: ForgeApi, project: Project, method: MergeMethod | null): void {
  const { squash_option: squash, merge_method: own } = project;
  const not: Record<MergeMethod, boolean> = {
    squash: squash === 'never',
    merge: squash === 'always' || own === 'ff',
    rebase: squash === 'always' || (own !== undefined && own !== null && own !== 'ff'),
  };
  if (method === null || !not[method]) return;
  throw new AutocodeError(
    'ERR_FORGE_REFUSED',
    `The project ${project.path_with_namespace} on ${api.name} does not merge by ${method} ` +
      `(merge method ${own}, squash ${squash}).`,
    {
      remedy:
        'Change that under Merge requests in its settings; or name another with `autocode project set PROJECT --merge-method METHOD`.',
    },
  );
}

function blocked(api: ForgeApi, { web_url: url }: { web_url: string }, why: string): AutocodeError {
  return new AutocodeError('ERR_FORGE_REFUSED', `The forge ${api.name} does not merge ${url}: ${why}.`, {
    remedy: 'See to that at the forge, and merge it there or try again.',
  });
}
