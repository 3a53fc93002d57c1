// Circuit breakers: an engine that fails with a model again and again is left alone for a while, so that calls go to
// the next rung or fail at once instead of waiting. Used by reach.ts, one breaker for each engine and model.
import { AutocodeError } from '../../protocol/errors.ts';

const FAILURES = 5;
const OPEN_MS = 10_000;
const OPEN_AT_MOST_MS = 60_000;

export interface Breakers {
  /** Throws ERR_ENGINE_UNAVAILABLE while the circuit of the model is open; when its time is over one call is let through. */
  check(model: string): void;
  succeeded(model: string): void;
  /** `retryAfterMs`: how long the engine wants to be left alone. */
  failed(model: string, retryAfterMs?: number): void;
}

/** Makes the breakers; `now` is a monotonic clock in milliseconds. */
export function breakers(now: () => number = () => performance.now()): Breakers {
  const circuits = new Map<string, { failures: number; openUntil: number }>();
  return {
    check(model) {
      const circuit = circuits.get(model);
      if (circuit === undefined || circuit.failures < FAILURES) return;
      const left = circuit.openUntil - now();
      // The one that is let through keeps the others out until it is known how it went.
      if (left <= 0) return void (circuit.openUntil = now() + OPEN_MS);
      throw new AutocodeError(
        'ERR_ENGINE_UNAVAILABLE',
        `The engine of ${model} has failed ${circuit.failures} times in a row and is left alone.`,
        {
          remedy: `Try again in ${Math.ceil(left / 1000)} s.`,
          details: { retryAfter: Math.ceil(left / 1000) },
        },
      );
    },
    succeeded: (model) => void circuits.delete(model),
    failed(model, retryAfterMs = 0) {
      const failures = (circuits.get(model)?.failures ?? 0) + 1;
      const pause = Math.min(Math.max(OPEN_MS, retryAfterMs), OPEN_AT_MOST_MS);
      circuits.set(model, { failures, openUntil: now() + pause });
    },
  };
}
