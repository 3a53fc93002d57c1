// What an answer cost in tokens: the engine's own figures where it gives them, else counted from the text that passed.
// Used for every model call.
import type { ModelCall, Price, Protocol } from '../../protocol/model.ts';
import { collector, countedTokens } from '../models/wire/collector.ts';
import type { Tokens } from '../models/wire/wire.ts';

export interface Metered {
  tokens: Tokens;
  /** upstream: the engine's figures; counted: from a whole answer; estimated: from an answer that was cut. */
  source: ModelCall['usageSource'];
  /** How many of the output tokens were reasoning, where the engine says so. */
  reasoning: number | null;
}

export interface Meter {
  /** Takes bytes of an event stream, cut anywhere. */
  push(chunk: Uint8Array): void;
  /** Takes a whole body. */
  whole(body: Uint8Array): void;
  /** Whether the model stopped by itself. */
  complete(): boolean;
  /** Whether the last event has been seen. */
  finished(): boolean;
  /** Bytes that came. */
  bytes(): number;
  /** The error that the engine reported inside its answer. */
  error(): string | undefined;
  /** The sum. `cut`: the answer did not come to its end. */
  settle(cut: boolean): Metered;
}

/** Nothing is owed for an answer that was none. */
export const NOTHING: Metered = {
  tokens: { input: 0, cached: 0, output: 0 },
  source: 'upstream',
  reasoning: null,
};

/** Meters one answer. `requestBytes` stands in for the input where the engine does not count it. */
export function meter(protocol: Protocol, requestBytes: number): Meter {
  const { collected, push, whole } = collector(protocol);
  let bytes = 0;
  return {
    push(chunk) {
      bytes += chunk.length;
      push(chunk);
    },
    whole(body) {
      bytes += body.length;
      whole(body);
    },
    bytes: () => bytes,
    complete: () => collected.complete,
    finished: () => collected.finished,
    error: () => collected.error,
    settle(cut) {
      const { input = countedTokens(requestBytes), cached = 0, output } = collected.tokens;
      const told = collected.tokens.input !== undefined && output !== undefined && !cut;
      const counted = countedTokens(collected);
      return {
        tokens: {
          input,
          cached: Math.min(cached, input),
          output: told ? output : Math.max(output ?? 0, counted),
        },
        source: told ? 'upstream' : cut ? 'estimated' : 'counted',
        reasoning: collected.reasoningTokens ?? null,
      };
    },
  };
}

/** Price of the tokens in millionths of the ledger currency, rounded up. */
export function costMicros({ tokens: { input, cached, output }, reasoning }: Metered, price: Price): number {
  const thought = Math.min(reasoning ?? 0, output);
  const micros =
    (input - cached) * price.input +
    cached * price.cached +
    (output - thought) * price.output +
    thought * (price.reasoning ?? price.output);
  // Binary fractions must not add a millionth: 100 × 0.07 is 7.000000000000001.
  return Math.ceil(Number(micros.toFixed(6)));
}
