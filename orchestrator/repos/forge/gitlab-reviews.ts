// What GitLab says of a merge request's approvals and reviewers. Used by gitlab-repository.ts.
import { z } from 'zod';
import type { Review } from '../../../protocol/change.ts';
import type { ForgeApi } from './forge-http.ts';
import type { MergeRequest } from './gitlab-shapes.ts';
import { User } from './gitlab-shapes.ts';
import { newestReviews, type GivenReview } from './newest-reviews.ts';
import { isRefusal } from './pull-requests.ts';

const Approvals = z.object({ approved_by: z.array(z.object({ user: User })) });
const Reviewer = z.object({ user: User, state: z.string() });
const SAYS: Record<string, GivenReview['says']> = {
  requested_changes: 'changes-requested',
  reviewed: 'commented',
};

/**
 * Who has approved, and who of its reviewers asks for changes. GitLab does not tell of which version; by its project's settings a push
 * takes approvals back. Reviewers are asked for where there are some; a GitLab before 15.3 does not tell of them.
 */
export async function reviewsAt(
  api: ForgeApi,
  route: string,
  { author, reviewers }: MergeRequest,
  signal: AbortSignal | undefined,
): Promise<Review[]> {
  const approvals = await orUndefined(
    api.request('GET', `${route}/approvals`, { answer: Approvals, signal }),
  );
  const options = { answer: z.array(Reviewer), signal };
  const states =
    (reviewers ?? []).length === 0 ? undefined : await orUndefined(api.all(`${route}/reviewers`, options));
  const given: GivenReview[] = (approvals?.approved_by ?? []).map(({ user }) => ({
    by: user.username,
    says: 'approved',
    stale: false,
  }));
  for (const { user, state } of states ?? []) {
    const says = SAYS[state];
    if (says !== undefined) given.push({ by: user.username, says, stale: false });
  }
  return newestReviews(given, { author: author.username, askedAgain: [] });
}

async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  return await answer.catch((error: unknown) => {
    if (isRefusal(error)) return undefined;
    throw error;
  });
}
