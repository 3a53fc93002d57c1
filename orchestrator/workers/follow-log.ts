// Reads a log as it grows, until it is complete or truncated. Used by the API's log routes.
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../db/connect.ts';
import { onNotify } from '../db/notifications.ts';
import { streamState, type LogStore } from './log-store.ts';

const BACKSTOP_MS = 1_000;

/** Bytes of a stream and where they begin. */
export interface LogPiece {
  offset: number;
  bytes: Buffer;
}

/** Pieces from `from` on; ends when the stream has ended and all of it was given, or at the signal. */
export async function* followLog(
  { db, logs }: { db: Database; logs: LogStore },
  want: { run: string; stream: string; from: number; signal: AbortSignal },
): AsyncGenerator<LogPiece> {
  let woken = new AbortController();
  const key = `${want.run}/${want.stream}`;
  const forget = await onNotify(db, 'log', (payload) => {
    if (payload === undefined || payload === key) woken.abort();
  });
  let offset = want.from;
  try {
    while (!want.signal.aborted) {
      woken = new AbortController();
      const state = await streamState(db, want.run, want.stream);
      if (state === null) return;
      for await (const bytes of logs.read(want.run, want.stream, offset, state.bytes)) {
        yield { offset, bytes };
        offset += bytes.length;
      }
      if (state.state !== 'open') return;
      await delay(BACKSTOP_MS, undefined, { signal: AbortSignal.any([want.signal, woken.signal]) }).catch(() => {});
    }
  } finally {
    forget();
  }
}
