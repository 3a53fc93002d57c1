// After a failure: why it was, and when the model is tried again. Used by load.ts and watch.ts.
import type { Member } from './fleet.ts';
import type { Trouble } from './instances.ts';

const FIRST_MS = 5_000;
const LONGEST_MS = 300_000;

/** Notes a failure: each one doubles the time until the next try. */
export function backOff(member: Member, why: Trouble): void {
  const now = Date.now();
  member.notBefore = now + Math.min(FIRST_MS * 2 ** member.failures, LONGEST_MS);
  member.failures++;
  member.lastFailure = { ...why, at: now };
}
