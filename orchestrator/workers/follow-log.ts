// Reads a log as it grows, until it is complete or truncated. Used by the API's log routes.
import type { Database } from '../db/connect.ts';
import { onNotify } from '../db/notifications.ts';
import { streamState, type LogPiece, type LogStore } from './log-store.ts';

const BACKSTOP_MS = 1_000;

/** Pieces from `from` on; ends when the stream has ended and all of it was given, or at the signal. */
export async function* followLog(
  { db, logs }: { db: Database; logs: LogStore },
  want: { run: string; stream: string; from: number; signal: AbortSignal },
): AsyncGenerator<LogPiece> {
  const { run, stream, signal } = want;
  let wake = () => {};
  // Growth is told by the store, with the newest piece at hand; the end of the stream by the database.
  let known = 0;
  let newest: LogPiece | undefined;
  let unsure = true;
  const unwatch = logs.watch(run, stream, (piece) => {
    newest = piece;
    known = piece.offset + piece.bytes.length;
    wake();
  });
  const forget = await onNotify(db, 'log', (payload) => {
    if (payload !== undefined && payload !== `${run}/${stream}`) return;
    unsure = true;
    wake();
  });
  const aborted = () => wake();
  signal.addEventListener('abort', aborted);
  let offset = want.from;
  let ended = false;
  try {
    while (!signal.aborted) {
      if (unsure) {
        unsure = false;
        const state = await streamState(db, run, stream);
        if (state === null) return;
        known = Math.max(known, state.bytes);
        ended = state.state !== 'open';
      } else if (offset < known) {
        for await (const piece of newest?.offset === offset
          ? [newest]
          : piecesOf(logs, want, offset, known)) {
          yield piece;
          offset += piece.bytes.length;
        }
        if (newest !== undefined && newest.offset < offset) newest = undefined; // its bytes are given
      } else if (ended) {
        return;
      } else {
        unsure = await new Promise<boolean>((resolve) => {
          const backstop = setTimeout(resolve, BACKSTOP_MS, true);
          wake = () => {
            clearTimeout(backstop);
            resolve(unsure);
          };
        });
      }
    }
  } finally {
    signal.removeEventListener('abort', aborted);
    unwatch();
    forget();
  }
}

async function* piecesOf(
  logs: LogStore,
  { run, stream }: { run: string; stream: string },
  from: number,
  to: number,
): AsyncGenerator<LogPiece> {
  let offset = from;
  for await (const bytes of logs.read(run, stream, from, to)) {
    yield { offset, bytes };
    offset += bytes.length;
  }
}
