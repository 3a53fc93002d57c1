// Facts in deliveries of Gitea's webhooks: GitHub's shapes, but for reviews, which come as events of their own. Used by gitea.ts.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ForgeFact } from './facts.ts';
import { githubFacts } from './github-facts.ts';

const Review = z.object({
  action: z.literal('reviewed'),
  repository: z.object({ full_name: z.string() }),
  sender: z.object({ login: z.string() }),
  pull_request: z.object({
    number: z.int(),
    html_url: z.string(),
    updated_at: z.string().nullish(),
    head: z.object({ sha: z.string() }),
  }),
  review: z.object({ type: z.string(), content: z.string().nullish() }),
});

/** What a delivery tells. The comments of a review on single lines are not in it: they are asked for (gitea-activity.ts). */
export function giteaFacts(event: string, body: unknown): ForgeFact[] {
  if (!event.startsWith('pull_request_')) return githubFacts(event, body);
  const told = Review.safeParse(body);
  if (!told.success) return [];
  const { repository, sender, pull_request: request, review } = told.data;
  const asks = review.type === 'pull_request_review_rejected';
  const text = review.content ?? '';
  if (!asks && (review.type !== 'pull_request_review_comment' || text.trim() === '')) return [];
  const says = asks ? 'changes-requested' : 'commented';
  return [
    {
      what: 'review',
      path: repository.full_name,
      by: sender.login,
      at: request.updated_at ?? null,
      url: request.html_url,
      number: request.number,
      id: reviewId(sender.login, says, request.head.sha, text),
      text,
      says,
      place: null,
    },
  ];
}

/** A delivery does not tell the number of a review: one is known by who says what to which commit. */
export function reviewId(by: string, says: string, commit: string, text: string): string {
  const digest = createHash('sha256').update(text.trim()).digest('hex').slice(0, 16);
  return `${by.toLowerCase()}-${says}-${commit.slice(0, 12)}-${digest}`;
}
