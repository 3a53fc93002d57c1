// Merging a pull request on GitHub: by the method that is asked for, what was looked at and nothing newer.
// Used by github-repository.ts.
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { MergeMethod } from '../../../protocol/project.ts';
import type { ChangeAtOrigin } from '../changes.ts';
import type { GitHubPlace } from './github-place.ts';
import { makeReady, repositoryRoute } from './github-place.ts';
import { PullRequest, Repository } from './github-shapes.ts';
import { conflicts, isRefusal, numberOf, withRemedy } from './pull-requests.ts';

const TRIES = 40;
const PAUSE_MS = 250;
const AGAIN = /base branch was modified/i;

/** Merges it, a draft after it was made ready; one that is merged is left alone. */
export async function mergePullRequest(
  place: GitHubPlace,
  change: ChangeAtOrigin,
  method: MergeMethod | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { api, path } = place;
  const repository = repositoryRoute(path);
  const route = `${repository}/pulls/${numberOf(change)}`;
  const look = async () => await api.request('GET', route, { answer: PullRequest, signal });
  const chosen = method ?? ownMethod(await api.request('GET', repository, { answer: Repository, signal }));
  for (let attempt = 1; ; attempt++) {
    const request = await look();
    if (request.merged_at !== null) return;
    if (request.state === 'closed') throw closedThere(change);
    if (request.mergeable === false) throw conflicts(change);
    if (request.draft) await makeReady(place, request, signal);
    const isLast = attempt === TRIES;
    // Whether it merges is found out in the background, after somebody has looked.
    if (request.mergeable === true || isLast) {
      const json = { merge_method: chosen, sha: request.head.sha };
      try {
        await api.request('PUT', `${route}/merge`, { answer: z.unknown(), json, signal });
        return;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        if ((await look()).merged_at !== null) return; // by a try whose answer was lost
        if (!AGAIN.test(error.message) || isLast) throw withRemedy(error, remedyFor(error.message, change));
      }
    }
    await delay(PAUSE_MS, undefined, { signal });
  }
}

// GitHub's API has no default of a repository's own: the first that it allows.
function ownMethod({ allow_merge_commit: merge, allow_squash_merge: squash }: Repository): MergeMethod {
  if (merge !== false) return 'merge';
  return squash === false ? 'rebase' : 'squash';
}

function remedyFor(said: string, { url }: ChangeAtOrigin): string {
  if (/merges are not allowed|merge commits are not allowed/i.test(said))
    return 'Choose a method that the repository allows: `autocode project set PROJECT --merge-method METHOD`.';
  if (/head branch was modified|sha/i.test(said))
    return `Somebody has pushed to its branch: look at ${url}, then merge again.`;
  return `Its branch is protected: see at ${url} which reviews or checks are missing, then merge again.`;
}

function closedThere({ id, url }: ChangeAtOrigin): AutocodeError {
  return new AutocodeError(
    'ERR_FORGE_REFUSED',
    `The pull request of change ${id} was closed on GitHub: ${url}`,
    {
      remedy: 'Open it again there, or give the task again.',
    },
  );
}
