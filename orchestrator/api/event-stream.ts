// Server-sent events: one writer for the outbox and for logs. A slow reader is waited for, and what it has not taken stays where
// it is; one that is gone, or takes nothing at all, ends the source. What is to be read at once is written at once.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from './context.ts';

const KEEP_ALIVE_MS = 15_000;
/** A reader that takes nothing for so long is cut off; it goes on from its last id when it comes back. */
const STALLED_MS = 60_000;

export interface Frame {
  id: string;
  event: string;
  data: string;
}

/** Whether the client asks for a stream rather than for one answer. */
export function wantsEventStream(request: FastifyRequest): boolean {
  return request.method !== 'HEAD' && (request.headers.accept?.includes('text/event-stream') ?? false);
}

/** Writes texts of one or more frames until the source ends, the client goes or the daemon stops. */
export async function sendEventStream(
  { stopping, log }: Pick<ApiContext, 'stopping' | 'log'>,
  request: FastifyRequest,
  reply: FastifyReply,
  source: (signal: AbortSignal) => AsyncIterable<string>,
): Promise<FastifyReply> {
  const gone = new AbortController();
  reply.hijack();
  const response = reply.raw;
  response.once('close', () => gone.abort());
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    'x-request-id': request.id,
  });
  response.flushHeaders();
  request.raw.socket.setNoDelay(true);
  const keepAlive = setInterval(
    () => response.writableNeedDrain || response.write(': alive\n\n'),
    KEEP_ALIVE_MS,
  );
  const signal = AbortSignal.any([gone.signal, stopping]);
  try {
    for await (const text of source(signal)) {
      if (response.write(text) || signal.aborted) continue;
      await drained(response, signal);
    }
  } catch (error) {
    if (!signal.aborted)
      log.error(`stream ${request.url} broke off: ${String(error)}`, { requestId: request.id });
  } finally {
    clearInterval(keepAlive);
    response.end();
  }
  return reply;
}

/** Waits until the reader has taken what was written; hangs up on one that does not. */
async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  const stalled = setTimeout(() => response.destroy(), STALLED_MS);
  try {
    await once(response, 'drain', { signal });
  } finally {
    clearTimeout(stalled);
  }
}

/** The text of a frame. */
export function frameText({ id, event, data }: Frame): string {
  const lines = data.split('\n').map((line) => `data: ${line}\n`);
  return `id: ${id}\nevent: ${event}\n${lines.join('')}\n`;
}
