// What GitHub says of a pull request's reviews and whether it merges. Used by github-repository.ts.
import { z } from 'zod';
import type { Review } from '../../../protocol/change.ts';
import type { ForgeChange } from './forge.ts';
import type { ForgeApi } from './forge-http.ts';
import type { PullRequest } from './github-shapes.ts';
import { newestReviews } from './newest-reviews.ts';

const Given = z.object({
  user: z.object({ login: z.string() }).nullable(),
  state: z.string(), // APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED, PENDING
  commit_id: z.string().nullish(),
});
const SAYS = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes-requested',
  COMMENTED: 'commented',
  DISMISSED: 'dismissed',
} as const;

/** The newest review of each person; one of another commit than the head is of an earlier version. */
export async function reviewsAt(
  api: ForgeApi,
  route: string,
  { user, head, requested_reviewers: asked }: PullRequest,
  signal: AbortSignal | undefined,
): Promise<Review[]> {
  const all = await api.all(`${route}/reviews`, { answer: z.array(Given), signal });
  const given = all.flatMap(({ user: reviewer, state, commit_id: commit }) => {
    const says = SAYS[state.toUpperCase() as keyof typeof SAYS] as
      | (typeof SAYS)[keyof typeof SAYS]
      | undefined;
    const stale = typeof commit === 'string' && commit !== head.sha;
    return says === undefined ? [] : [{ by: reviewer?.login ?? 'ghost', says, stale }];
  });
  const askedAgain = (asked ?? []).map(({ login }) => login);
  return newestReviews(given, { author: user?.login ?? '', askedAgain });
}

/** Whether it merges; GitHub finds that out in the background after somebody has looked. */
export function mergeabilityOf({
  mergeable,
  mergeable_state: state,
  base,
}: PullRequest): Pick<ForgeChange, 'mergeable' | 'mergeReason'> {
  if (mergeable === false || state === 'dirty') return { mergeable: 'conflicts', mergeReason: null };
  if (state === 'blocked')
    return {
      mergeable: 'blocked',
      mergeReason: `the rules of ${base.ref} want reviews or checks that are missing`,
    };
  if (state === 'behind')
    return { mergeable: 'blocked', mergeReason: `it has to be brought up to date with ${base.ref} first` };
  return { mergeable: mergeable === true ? 'yes' : 'unknown', mergeReason: null };
}
