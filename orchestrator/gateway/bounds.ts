// What a call can cost at most, before it is made: what was used for the conversation so far and one token for each byte that
// is new, and as much output as is asked for. Used by paying.ts.
import type { Protocol } from '../../protocol/model.ts';
import type { JsonObject } from '../models/wire/json.ts';
import { count } from '../models/wire/json.ts';

export interface Bounds {
  /** Tokens of input at most. */
  input: number;
  /** Tokens of output that are asked for; `asked` is false where the request does not bound them. */
  output: number;
  asked: boolean;
}

/** A request that does not say how much it wants is taken to want so much. */
const OUTPUT_TOKENS = 32_000;
const KEPT_AT_MOST = 10_000;

export interface InputBounds {
  /** Bound for the input of a request of so many bytes by this run or key. */
  of(who: string, bytes: number): number;
  /** What a request of so many bytes has used, in and out. */
  used(who: string, bytes: number, tokens: number): void;
}

/** Remembers the last request of each run or key. */
export function inputBounds(): InputBounds {
  const last = new Map<string, { bytes: number; tokens: number }>();
  return {
    of(who, bytes) {
      const before = last.get(who);
      if (before === undefined || bytes < before.bytes) return bytes;
      return Math.min(bytes, before.tokens + bytes - before.bytes);
    },
    used(who, bytes, tokens) {
      if (last.size >= KEPT_AT_MOST) last.clear();
      last.set(who, { bytes, tokens });
    },
  };
}

/** How much output a request asks for. */
export function outputBound(protocol: Protocol, json: JsonObject): Pick<Bounds, 'output' | 'asked'> {
  if (protocol === 'embeddings') return { output: 0, asked: true };
  const most = count(json.max_completion_tokens) ?? count(json.max_tokens) ?? count(json.max_output_tokens);
  const answers = protocol === 'chat' || protocol === 'completions' ? Math.max(1, count(json.n) ?? 1) : 1;
  return { output: (most ?? OUTPUT_TOKENS) * answers, asked: most !== undefined };
}
