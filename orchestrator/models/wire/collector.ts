// Reads one answer of any protocol, streamed or whole, into text, calls and tokens. Used by metering and recorder.
import type { Protocol } from '../../../protocol/model.ts';
import { object, parse } from './json.ts';
import { sseReader } from './sse.ts';
import { ENDPOINTS } from './table.ts';
import { nothingCollected } from './wire.ts';
import type { Collected } from './wire.ts';

export interface Collector {
  /** What has been read so far. */
  collected: Collected;
  /** Takes bytes of an event stream, cut anywhere. */
  push(chunk: Uint8Array): void;
  /** Takes a whole body. */
  whole(body: Uint8Array): void;
}

/** A collector for one answer. */
export function collector(protocol: Protocol): Collector {
  const wire = ENDPOINTS[protocol];
  const collected = nothingCollected();
  const reader = sseReader(({ data }) => {
    if (data === '[DONE]') collected.complete = collected.finished = true;
    else wire.collect(collected, object(parse(data)));
  });
  return {
    collected,
    push: reader.push,
    whole: (body) => wire.collectWhole(collected, object(parse(Buffer.from(body).toString('utf8')))),
  };
}

const CHARS_PER_TOKEN = 4;

/** Tokens of what nobody counted: a quarter of its characters. */
export function countedTokens(of: number | Collected): number {
  return Math.ceil((typeof of === 'number' ? of : characters(of)) / CHARS_PER_TOKEN);
}

function characters({ text, reasoningChars, toolCalls }: Collected): number {
  const calls = [...toolCalls.values()].reduce(
    (sum, call) => sum + call.name.length + call.arguments.length,
    0,
  );
  return text.length + reasoningChars + calls;
}
