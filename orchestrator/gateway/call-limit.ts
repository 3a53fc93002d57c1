// How many calls a run may make in a minute. Used by the gateway; a looping agent is slowed down here.
import { AutocodeError } from '../../protocol/errors.ts';

/** Counts a run's calls in each minute of the clock and refuses those above the limit. */
export function callLimit(perMinute: number): (run: string) => void {
  const calls = new Map<string, number>();
  let minute = 0;
  return (run) => {
    const now = Math.floor(Date.now() / 60_000);
    if (now !== minute) calls.clear();
    minute = now;
    const made = (calls.get(run) ?? 0) + 1;
    calls.set(run, made);
    if (made <= perMinute) return;
    throw new AutocodeError(
      'ERR_RATE_LIMITED',
      `The run ${run} has made ${perMinute} calls in this minute.`,
      {
        remedy: 'Wait for the next minute.',
        details: { retryAfter: 60 - Math.floor((Date.now() / 1000) % 60) },
      },
    );
  };
}
