// Server-sent events: a reader that takes bytes cut anywhere, and the encoder. Used by metering, recorder and replay.

export interface SseEvent {
  /** The `event:` line; Chat Completions has none. */
  event?: string;
  data: string;
}

export interface SseReader {
  push(chunk: Uint8Array): void;
  /** The stream ended; a last event without its empty line still counts. */
  end(): void;
}

/** Calls `onEvent` for each whole event of the bytes pushed in. */
export function sseReader(onEvent: (event: SseEvent) => void): SseReader {
  const decoder = new TextDecoder();
  let rest = '';
  let name: string | undefined;
  let data: string[] = [];

  const line = (text: string) => {
    if (text === '') return dispatch();
    if (text.startsWith('data:')) data.push(text.slice(text[5] === ' ' ? 6 : 5));
    else if (text.startsWith('event:')) name = text.slice(6).trim();
  };
  const dispatch = () => {
    if (data.length > 0) onEvent({ ...(name === undefined ? {} : { event: name }), data: data.join('\n') });
    name = undefined;
    data = [];
  };
  const take = (text: string) => {
    const from = Math.max(0, rest.length - 1);
    rest += text;
    let start = 0;
    // A \r at the very end may be the first half of \r\n, so it waits for what follows.
    for (let at = nextBreak(rest, from); at >= 0; at = nextBreak(rest, start)) {
      if (rest[at] === '\r' && at === rest.length - 1) break;
      line(rest.slice(start, at));
      start = at + (rest[at] === '\r' && rest[at + 1] === '\n' ? 2 : 1);
    }
    if (start > 0) rest = rest.slice(start);
  };
  return {
    push: (chunk) => take(decoder.decode(chunk, { stream: true })),
    end() {
      take(`${decoder.decode()}\n\n`);
      dispatch();
    },
  };
}

const BREAK = /[\r\n]/g;

function nextBreak(text: string, from: number): number {
  BREAK.lastIndex = from;
  return BREAK.test(text) ? BREAK.lastIndex - 1 : -1;
}

/** One event as it goes over the wire. */
export function encodeEvent({ event, data }: SseEvent): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`;
}
