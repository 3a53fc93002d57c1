// The client's side of an answer: its headers, and its bytes as they came or translated. Used by exchange.ts.
import type { Dialogue } from '../../protocol/model.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { EngineAnswer } from '../models/engine/engine.ts';
import { errorWords, translatedStream } from '../models/translate/translated-stream.ts';
import { object, parse } from '../models/wire/json.ts';
import type { JsonObject } from '../models/wire/json.ts';
import { refusalOf } from '../models/wire/refusal.ts';
import { encodeEvent } from '../models/wire/sse.ts';
import { ENDPOINTS } from '../models/wire/table.ts';
import type { Exchange } from './exchange.ts';
import type { Rung } from './ladder.ts';

export interface ClientSide {
  head: Record<string, string>;
  /** Bytes of a stream. */
  push(chunk: Uint8Array): Uint8Array;
  /** What is left to say at its end; `ok`: it is whole. `error`: the engine's own words, which the client has got already. */
  end(ok: boolean, error: string | undefined): Uint8Array;
  /** A whole body, of an answer or of an error. */
  whole(body: Buffer): Buffer;
}

const PASSED_BACK = ['content-type', 'content-encoding', 'retry-after'];
const NONE = Buffer.alloc(0);

/** The client's side of one answer. */
export function clientSide(
  call: Exchange,
  rung: Rung,
  answer: EngineAnswer,
  fallback: string | null,
  streamed: boolean,
): ClientSide {
  const head = headOf(rung, answer, fallback, streamed);
  const { translation } = rung;
  if (translation === undefined) {
    return { head, push: (chunk) => chunk, end: () => NONE, whole: (body) => body };
  }
  head['content-type'] = streamed ? 'text/event-stream' : 'application/json';
  // Only conversations are translated.
  const protocol = call.protocol as Dialogue;
  const { json: asked } = call.asked!;
  const stream = streamed ? translatedStream(translation, asked, protocol) : undefined;
  return {
    head,
    push: (chunk) => Buffer.from(stream?.push(chunk) ?? ''),
    end(ok, error) {
      if (ok) return Buffer.from(stream?.end() ?? '');
      if (error !== undefined) return NONE;
      const refusal = refusalOf(unreadable(rung, 'ended before its answer was complete'), call.requestId);
      return Buffer.from(encodeEvent(ENDPOINTS[protocol].refusalEvent(refusal)));
    },
    whole(body) {
      const text = body.toString('utf8');
      if (answer.status >= 400) {
        const { status } = answer;
        const refusal = { status, code: 'upstream', message: errorWords(text), requestId: call.requestId };
        return Buffer.from(JSON.stringify(ENDPOINTS[protocol].refusal(refusal)));
      }
      const json = parse(text);
      if (object(json) !== json) throw unreadable(rung, 'answered with what is no JSON object');
      return Buffer.from(JSON.stringify(translation.whole(json as JsonObject, asked)));
    },
  };
}

function headOf(
  { model }: Rung,
  answer: EngineAnswer,
  fallback: string | null,
  streamed: boolean,
): Record<string, string> {
  const head: Record<string, string> = { 'x-autocode-model': printable(model.name) };
  if (fallback !== null) head['x-autocode-fallback'] = printable(fallback).slice(0, 1000);
  for (const name of PASSED_BACK) {
    if (answer.headers[name] !== undefined) head[name] = String(answer.headers[name]);
  }
  return streamed ? { ...head, 'cache-control': 'no-cache' } : head;
}

const printable = (text: string) => text.replace(/[^\x20-\x7e]/g, '?');

function unreadable({ model }: Rung, what: string): AutocodeError {
  return new AutocodeError('ERR_ENGINE_UNAVAILABLE', `The engine of ${model.name} ${what}.`, {
    remedy: 'Send the request again.',
  });
}
