// What deliveries of webhooks have in common where GitHub's shapes are spoken. Used by gitea.ts and github.ts.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Told } from './forge.ts';

const PullRequestEvent = z.object({
  pull_request: z.object({ number: z.number(), head: z.object({ ref: z.string() }) }),
});

// In a delivery of GitHub the state is in small letters; one that is dismissed or edited says nothing new.
const ReviewEvent = z.object({
  action: z.literal('submitted'),
  review: z.object({
    user: z.object({ login: z.string() }),
    state: z.enum(['approved', 'changes_requested', 'commented']),
  }),
});

/** Whether this is the hexadecimal HMAC-SHA256 of the raw body. */
export function isSignedBy(body: Buffer, secret: string, signature: string): boolean {
  const expected = createHmac('sha256', secret).update(body).digest();
  const given = Buffer.from(/^[0-9a-f]{64}$/i.test(signature) ? signature : '', 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The pull request of an event that is about one, as `pull_request` and `pull_request_review`. */
export function pullRequestOf(event: string, body: unknown): Told | undefined {
  if (!event.startsWith('pull_request')) return undefined;
  const told = PullRequestEvent.safeParse(body);
  if (!told.success) return undefined;
  const { number, head } = told.data.pull_request;
  const review = event === 'pull_request_review' ? reviewOf(body) : undefined;
  return { number, branch: head.ref, ...(review === undefined ? {} : { review }) };
}

function reviewOf(body: unknown): Told['review'] {
  const told = ReviewEvent.safeParse(body);
  if (!told.success) return undefined;
  const { user, state } = told.data.review;
  return { by: user.login, review: state === 'changes_requested' ? 'changes-requested' : state };
}
