// What a forge says of its rate limit: `retry-after`, GitHub's x-ratelimit-*, GitLab's ratelimit-*. Used by forge-http.ts.
import type { Response } from 'got';

// GitHub asks for a minute where a secondary limit comes without a time.
const UNTOLD_MS = 60_000;
const SECONDARY = /secondary rate limit|abuse detection/i;

/** Turned away for too many requests: nothing of it was done. */
export function isLimited({ statusCode, headers, body }: Response): boolean {
  if (statusCode === 429) return true;
  if (statusCode !== 403) return false;
  const used = headers['x-ratelimit-remaining'] === '0';
  return used || headers['retry-after'] !== undefined || SECONDARY.test(String(body));
}

/** When the next request may be made, as the time of this machine; 0: now. */
export function limitEnd({ headers }: Response, limited: boolean): number {
  const now = Date.now();
  if (limited && headers['retry-after'] !== undefined) return now + retryAfterMs(headers['retry-after'], now);
  const remaining = headers['x-ratelimit-remaining'] ?? headers['ratelimit-remaining'];
  const reset = Number(headers['x-ratelimit-reset'] ?? headers['ratelimit-reset'] ?? Number.NaN);
  if (remaining === '0' && !Number.isNaN(reset)) {
    // The server's clock tells how long that is.
    const theirs = Date.parse(headers.date ?? '');
    return now + Math.max(0, reset * 1000 - (Number.isNaN(theirs) ? now : theirs));
  }
  return limited ? now + UNTOLD_MS : 0;
}

function retryAfterMs(value: string, now: number): number {
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? UNTOLD_MS : Math.max(ms, 0);
}
