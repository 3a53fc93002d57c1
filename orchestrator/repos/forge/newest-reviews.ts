// The newest that each person said in reviews of a pull request, in the same way for all forges. Used by <kind>-reviews.ts.
import type { Review } from '../../../protocol/change.ts';

/** One review as a forge lists it. `dismissed`: somebody has taken it back. */
export interface GivenReview {
  by: string;
  says: Review['says'] | 'dismissed';
  stale: boolean;
}

/**
 * What counts of reviews, the oldest first: a comment takes no approval back, and neither the author of the pull request nor whoever was
 * asked again has said anything.
 */
export function newestReviews(
  given: Iterable<GivenReview>,
  { author, askedAgain }: { author: string; askedAgain: readonly string[] },
): Review[] {
  const silent = new Set([author, ...askedAgain].map((name) => name.toLowerCase()));
  const newest = new Map<string, Review>();
  for (const { by, says, stale } of given) {
    const name = by.toLowerCase();
    if (silent.has(name)) continue;
    if (says === 'dismissed') newest.delete(name);
    else if (says !== 'commented' || (newest.get(name)?.says ?? 'commented') === 'commented')
      newest.set(name, { by, says, stale });
  }
  return [...newest.values()].toSorted((one, other) => one.by.localeCompare(other.by));
}
