// What an answer cost in tokens: the engine's own figures where it gives them, else counted from the text that passed.
// Used for every model call.
import type { ModelCall, Price, Protocol } from '../../protocol/model.ts';
import { object, parse } from '../models/wire/json.ts';
import { sseReader } from '../models/wire/sse.ts';
import { WIRES } from '../models/wire/table.ts';
import { nothingCollected } from '../models/wire/wire.ts';
import type { Tokens } from '../models/wire/wire.ts';

export interface Metered {
  tokens: Tokens;
  /** upstream: the engine's figures; counted: from a whole answer; estimated: from an answer that was cut. */
  source: ModelCall['usageSource'];
}

export interface Meter {
  /** Takes bytes of an event stream, cut anywhere. */
  push(chunk: Uint8Array): void;
  /** Takes a whole body. */
  whole(body: Uint8Array): void;
  /** Whether the answer's own end has been seen. */
  finished(): boolean;
  /** The error that the engine reported inside its answer. */
  error(): string | undefined;
  /** The sum. `cut`: the answer did not come to its end. */
  settle(cut: boolean): Metered;
}

const CHARS_PER_TOKEN = 4;

/** Nothing is owed for an answer that was none. */
export const NOTHING: Metered = { tokens: { input: 0, cached: 0, output: 0 }, source: 'upstream' };

/** Meters one answer. `requestBytes` stands in for the input where the engine does not count it. */
export function meter(protocol: Protocol, requestBytes: number): Meter {
  const wire = WIRES[protocol];
  const seen = nothingCollected();
  const reader = sseReader(({ data }) => {
    if (data === '[DONE]') seen.finished = true;
    else wire.collect(seen, object(parse(data)));
  });
  return {
    push: (chunk) => reader.push(chunk),
    whole: (body) => wire.collectWhole(seen, object(parse(Buffer.from(body).toString('utf8')))),
    finished: () => seen.finished,
    error: () => seen.error,
    settle(cut) {
      const { input, cached = 0, output } = seen.tokens;
      const told = input !== undefined && output !== undefined && !cut;
      const calls = [...seen.toolCalls.values()].reduce((sum, call) => sum + call.name.length + call.arguments.length, 0);
      const counted = Math.ceil((seen.text.length + seen.reasoningChars + calls) / CHARS_PER_TOKEN);
      const total = input ?? Math.ceil(requestBytes / CHARS_PER_TOKEN);
      const made = told ? output : Math.max(output ?? 0, counted);
      return {
        tokens: { input: total, cached: Math.min(cached, total), output: made },
        source: told ? 'upstream' : cut ? 'estimated' : 'counted',
      };
    },
  };
}

/** Price of the tokens in millionths of the ledger currency, rounded up. */
export function costMicros({ input, cached, output }: Tokens, price: Price): number {
  const micros = (input - cached) * price.input + cached * price.cached + output * price.output;
  // Binary fractions must not add a millionth: 100 × 0.07 is 7.000000000000001.
  return Math.ceil(Number(micros.toFixed(6)));
}
