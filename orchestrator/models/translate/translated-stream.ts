// The bytes of an engine's event stream as the bytes that the client's protocol wants. Used by the gateway.
import type { Dialogue } from '../../../protocol/model.ts';
import { object, parse, string } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';
import { encodeEvent, sseReader } from '../wire/sse.ts';
import type { Translation } from './translation.ts';

export interface TranslatedStream {
  /** Takes bytes cut anywhere; answers what the client gets for them. */
  push(chunk: Uint8Array): string;
  /** The engine's stream has come to a good end. */
  end(): string;
}

/** Translates one stream for a client of the protocol. */
export function translatedStream(
  translation: Translation,
  asked: JsonObject,
  protocol: Dialogue,
): TranslatedStream {
  const stream = translation.stream(asked);
  let out = '';
  let over = false;
  const write = (payload: JsonObject) => {
    const named = protocol === 'chat' ? {} : { event: string(payload.type) };
    out += encodeEvent({ ...named, data: JSON.stringify(payload) });
  };
  const finish = () => {
    if (over) return;
    over = true;
    stream.end().forEach(write);
    if (protocol === 'chat') out += encodeEvent({ data: '[DONE]' });
  };
  const reader = sseReader(({ data }) => {
    if (over) return;
    if (data === '[DONE]') return finish();
    const payload = parse(data);
    // What is no JSON says nothing; the engine goes on.
    if (object(payload) !== payload) return;
    stream.push(payload as JsonObject).forEach(write);
    if (object(payload).type === 'message_stop') finish();
  });
  const taken = () => {
    const text = out;
    out = '';
    return text;
  };
  return {
    push(chunk) {
      reader.push(chunk);
      return taken();
    },
    end() {
      reader.end();
      finish();
      return taken();
    },
  };
}

/** The words of an engine's error, whichever protocol it speaks. */
export function errorWords(body: string): string {
  const json = object(parse(body));
  const error = object(json.error);
  return (
    string(error.message) ||
    string(json.error) ||
    string(json.message) ||
    string(json.detail) ||
    body.slice(0, 500)
  );
}
