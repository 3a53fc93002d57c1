// The outbox as a stream of server-sent events, read by fetch: it can bear an API token, and says at which event it goes on.
import type { Event } from '../../../protocol/event.ts';
import { noteSignedOut, proofHeaders, proofOfNow } from '../api/client.ts';

/** One message of a stream. */
export interface Message {
  id: string;
  event: string;
  data: string;
}

/** Reads a stream of server-sent events until it ends or is cut off; `onOpen` is called when it is there. */
export async function* readStream(
  url: string,
  after: string | undefined,
  signal: AbortSignal,
  onOpen: () => void,
): AsyncGenerator<Message> {
  const asked = proofOfNow();
  const answer = await fetch(url, {
    headers: {
      accept: 'text/event-stream',
      ...proofHeaders(),
      ...(after === undefined ? {} : { 'last-event-id': after }),
    },
    credentials: 'same-origin',
    cache: 'no-store',
    signal,
  });
  if (answer.status === 401) noteSignedOut(asked);
  if (!answer.ok || answer.body === null) throw new Error(`the stream answered ${answer.status}`);
  onOpen();
  let rest = '';
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) {
      const message = parse(block);
      if (message !== undefined) yield message;
    }
  }
}

/** One block of lines; undefined for a comment that keeps the connection alive. */
function parse(block: string): Message | undefined {
  const message = { id: '', event: 'message', data: '' };
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const colon = line.indexOf(': ');
    const value = line.slice(colon + 2);
    if (line.startsWith('id: ')) message.id = value;
    else if (line.startsWith('event: ')) message.event = value;
    else if (line.startsWith('data: ')) data.push(value);
  }
  return data.length === 0 ? undefined : { ...message, data: data.join('\n') };
}

/** Whether an event comes after another, by their cursors `<transaction>-<serial>`. */
export function isAfter(id: string, other: string): boolean {
  const [first, second] = [id, other].map((each) => each.split('-').map(BigInt) as [bigint, bigint]);
  return first![0] === second![0] ? first![1] > second![1] : first![0] > second![0];
}

/** What tabs tell one another; one that has just come asks whether the connection is there. */
export type Told =
  | { kind: 'event'; event: Event }
  | { kind: 'state'; state: LiveState }
  | { kind: 'question' };
export type LiveState = 'connecting' | 'live' | 'away';
