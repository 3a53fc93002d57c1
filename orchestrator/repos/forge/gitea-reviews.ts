// What Gitea says of a pull request's reviews and of the rules of its base branch. Used by gitea-repository.ts.
import { z } from 'zod';
import type { Review } from '../../../protocol/change.ts';
import type { ForgeChange } from './forge.ts';
import type { ForgeApi } from './forge-http.ts';
import { newestReviews } from './newest-reviews.ts';
import { isRefusal } from './pull-requests.ts';

const User = z.object({ login: z.string() });
const Given = z.object({
  user: User.nullable(), // null where a team was asked
  state: z.string(), // APPROVED, REQUEST_CHANGES, COMMENT, REQUEST_REVIEW, PENDING
  stale: z.boolean().nullish(),
  dismissed: z.boolean().nullish(),
  official: z.boolean().nullish(),
});
const Branch = z.object({
  protected: z.boolean().nullish(),
  required_approvals: z.number().nullish(),
  user_can_merge: z.boolean().nullish(),
});
type Branch = z.infer<typeof Branch>;
const SAYS = {
  APPROVED: 'approved',
  REQUEST_CHANGES: 'changes-requested',
  COMMENT: 'commented',
  REQUEST_REVIEW: 'dismissed', // of somebody who was asked again
} as const;

/** The newest review of each person, and how many approvals count by the rules of the base branch. */
export async function reviewsAt(
  api: ForgeApi,
  route: string,
  author: string,
  signal: AbortSignal | undefined,
): Promise<{ reviews: Review[]; approvals: number }> {
  const all = await api.all(`${route}/reviews`, { answer: z.array(Given), signal });
  const counting = all.filter(
    ({ state, official, dismissed }) => state === 'APPROVED' && official === true && dismissed !== true,
  );
  const given = all.flatMap(({ user, state, stale, dismissed }) => {
    const says = SAYS[state as keyof typeof SAYS] as (typeof SAYS)[keyof typeof SAYS] | undefined;
    if (user === null || says === undefined) return [];
    return [
      { by: user.login, says: dismissed === true ? ('dismissed' as const) : says, stale: stale === true },
    ];
  });
  return {
    reviews: newestReviews(given, { author, askedAgain: [] }),
    approvals: new Set(counting.map((each) => each.user?.login)).size,
  };
}

/** What is to be known of branches that others are merged into: each is asked for once. */
export function baseRules(
  api: ForgeApi,
  repository: string,
  signal: AbortSignal | undefined,
): (branch: string) => Promise<Branch | undefined> {
  const known = new Map<string, Promise<Branch | undefined>>();
  const ask = async (branch: string) =>
    await api
      .request('GET', `${repository}/branches/${encodeURIComponent(branch)}`, { answer: Branch, signal })
      .catch((error: unknown) => {
        if (isRefusal(error)) return undefined;
        throw error;
      });
  return async (branch) => {
    const asked = known.get(branch) ?? ask(branch);
    known.set(branch, asked);
    return await asked;
  };
}

/** Whether it merges: what Gitea says of the commits, and what the rules of the base branch want. */
export function mergeabilityOf(
  request: { mergeable: boolean; base: { ref: string } },
  approvals: number,
  rules: Branch | undefined,
): Pick<ForgeChange, 'mergeable' | 'mergeReason'> {
  if (!request.mergeable) return { mergeable: 'no', mergeReason: null };
  const required = rules?.required_approvals ?? 0;
  if (approvals < required)
    return {
      mergeable: 'blocked',
      mergeReason: `it has ${approvals} of the ${required} approvals that it needs`,
    };
  if (rules?.user_can_merge === false)
    return {
      mergeable: 'blocked',
      mergeReason: `the user of the token may not merge into ${request.base.ref}`,
    };
  return { mergeable: 'yes', mergeReason: null };
}
