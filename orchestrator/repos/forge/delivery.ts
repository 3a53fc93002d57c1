// What deliveries of webhooks have in common where GitHub's shapes are spoken. Used by gitea.ts and github.ts.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Told } from './forge.ts';

const PullRequestEvent = z.object({
  pull_request: z.object({ number: z.number(), head: z.object({ ref: z.string() }) }),
});

const PushEvent = z.object({
  ref: z.string().startsWith('refs/heads/'),
  repository: z.object({ full_name: z.string() }),
});

/** Whether this is the hexadecimal HMAC-SHA256 of the raw body. */
export function isSignedBy(body: Buffer, secret: string, signature: string): boolean {
  const expected = createHmac('sha256', secret).update(body).digest();
  const given = Buffer.from(/^[0-9a-f]{64}$/i.test(signature) ? signature : '', 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** What an event tells that is about a pull request, as `pull_request` and `pull_request_review`, or about a push. */
export function toldBy(event: string, body: unknown): Told | undefined {
  if (event === 'push') {
    const push = PushEvent.safeParse(body).data;
    if (push === undefined) return undefined;
    return { path: push.repository.full_name, pushed: push.ref.slice('refs/heads/'.length) };
  }
  if (!event.startsWith('pull_request')) return undefined;
  const told = PullRequestEvent.safeParse(body);
  if (!told.success) return undefined;
  const { number, head } = told.data.pull_request;
  return { number, branch: head.ref };
}
