// Reads server-sent events and goes on after a lost connection from the last id. Used by client.ts.
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Query, ApiRequest } from './client.ts';

export interface StreamMessage {
  id: string;
  event: string;
  data: string;
}

export interface FollowOptions {
  query?: Query;
  /** Where to begin: the messages after this id. */
  lastId?: string;
  signal: AbortSignal;
}

/** How long a daemon that has gone is waited for. */
const PATIENCE_MS = 60_000;
const RETRY_MS = [100, 250, 500, 1000, 2000];

type Open = (init: Pick<ApiRequest, 'query' | 'headers' | 'signal'>) => Promise<Response>;

/** Messages until the server sends `end`, or the signal is aborted. */
export async function* follow(
  open: Open,
  { query, lastId, signal }: FollowOptions,
): AsyncGenerator<StreamMessage> {
  let last = lastId;
  let failures = 0;
  let lostAt = Date.now();
  while (!signal.aborted) {
    try {
      const headers = {
        accept: 'text/event-stream',
        ...(last === undefined ? {} : { 'last-event-id': last }),
      };
      const response = await open({ query, headers, signal });
      failures = 0;
      for await (const message of messages(response)) {
        if (message.id !== '') last = message.id;
        if (message.event === 'end') return;
        yield message;
      }
      lostAt = Date.now();
    } catch (error) {
      if (signal.aborted) return;
      if (!worthRetrying(error)) throw error;
      if (failures === 0) lostAt = Date.now();
      else if (Date.now() - lostAt > PATIENCE_MS) throw error;
    }
    await delay(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)], undefined, { signal }).catch(() => {});
  }
}

/** A refusal by the daemon stays one; a daemon that is away or restarting comes back. */
function worthRetrying(error: unknown): boolean {
  if (!(error instanceof AutocodeError)) return true;
  return ['ERR_DAEMON_NOT_RUNNING', 'ERR_DATABASE', 'ERR_RATE_LIMITED'].includes(error.code);
}

async function* messages(response: Response): AsyncGenerator<StreamMessage> {
  if (response.body === null) return;
  let buffer = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    buffer += chunk;
    const blocks = buffer.split(/\r?\n\r?\n/);
    buffer = blocks.pop() ?? '';
    for (const block of blocks) {
      const message = parseMessage(block);
      if (message !== null) yield message;
    }
  }
}

/** One block of the stream; null for comments, which only keep the connection alive. */
export function parseMessage(block: string): StreamMessage | null {
  const message = { id: '', event: 'message', data: '' };
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === 'data') data.push(value);
    else if (field === 'id' || field === 'event') message[field] = value;
  }
  message.data = data.join('\n');
  return data.length === 0 && message.event === 'message' ? null : message;
}
