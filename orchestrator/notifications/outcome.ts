// How a try to send went. Used by what sends, and by deliveries.ts, which decides what follows.
import { AutocodeError } from '../../protocol/errors.ts';

/** again: whether another try may help; away: nothing is taken there now; gone: nothing ever will be; afterSeconds: as it asked. */
export type Outcome =
  | { sent: true }
  | { sent: false; trouble: string; again: boolean; away: boolean; gone: boolean; afterSeconds: number };

/** Why no email is sent to a person who has an address. */
export const UNCONFIRMED = 'The address is not confirmed yet.';

/** One that did not arrive and is tried again; `away` when it is not for this message alone. */
export function later(trouble: string, { away = false, afterSeconds = 0 } = {}): Outcome {
  return { sent: false, trouble, again: true, away, gone: false, afterSeconds };
}

/** One that will never arrive, however often it is tried; `gone` when nothing else will arrive there either. */
export function never(trouble: string, { gone = false } = {}): Outcome {
  return { sent: false, trouble, again: false, away: false, gone, afterSeconds: 0 };
}

/** An error of ours in words; undefined for others. */
export function ownTrouble(error: unknown): Outcome | undefined {
  if (!(error instanceof AutocodeError)) return undefined;
  return later(`${error.message} ${error.remedy ?? ''}`.trim());
}

const LONGEST_PAUSE_SECONDS = 60 * 60;

/** Seconds to wait by a `Retry-After`, in either of its forms; at most an hour. */
export function retryAfter(header: string | null, now: number): number {
  if (header === null) return 0;
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds), LONGEST_PAUSE_SECONDS) : 0;
}
