// The bytes of a log as they come. A connection that is lost is taken up at the byte where it broke off, so that nothing is
// missing or doubled; one that is silent is looked after. Used by the log window and by the task page.
import type { LogLines } from '../../../protocol/log.ts';
import { get, proofHeaders } from '../api/client.ts';

const SILENT_MS = 20_000;
const LONGEST_PAUSE_MS = 5_000;

/** A stream of a run. */
export interface LogName {
  run: string;
  stream: 'events' | 'raw';
}

/** Where the API has a stream. */
export function logPath({ run, stream }: LogName): string {
  return `/runs/${run}/logs/${stream}`;
}

export interface FollowOptions {
  from: number;
  signal: AbortSignal;
  /** Told whether the log is heard, each time that this changes. */
  heard(live: boolean): void;
}

export interface Piece {
  offset: number;
  bytes: Uint8Array;
}

/** Pieces from a byte on; ends when the log has ended and all of it was given, or at the signal. */
export async function* followLog(
  log: LogName,
  { from, signal, heard }: FollowOptions,
): AsyncGenerator<Piece> {
  let offset = from;
  for (let pause = 250; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      for await (const bytes of connection(log, offset, signal, heard)) {
        yield { offset, bytes };
        offset += bytes.length;
        pause = 250;
      }
      if (await isWhole(log, offset, signal)) return;
    } catch {
      // it is tried again below
    }
    if (signal.aborted) return;
    heard(false);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function* connection(
  log: LogName,
  from: number,
  signal: AbortSignal,
  heard: (live: boolean) => void,
): AsyncGenerator<Uint8Array> {
  const silent = new AbortController();
  let last = performance.now();
  let received = from;
  // A dead connection looks like a silent log: whether there is more is asked beside it.
  const watch = setInterval(async () => {
    if (performance.now() - last < SILENT_MS) return;
    last = performance.now();
    const { bytes } = await stateOf(log, signal).catch(() => ({ bytes: Infinity }));
    if (bytes > received && performance.now() - last < SILENT_MS) silent.abort();
  }, SILENT_MS);
  try {
    const answer = await fetch(`/api/v1${logPath(log)}?follow=true&from=${from}`, {
      headers: proofHeaders(),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.any([signal, silent.signal]),
    });
    if (!answer.ok || answer.body === null) throw new Error(`the log answered ${answer.status}`);
    heard(true);
    const reader = answer.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      last = performance.now();
      received += value.length;
      yield value;
    }
  } finally {
    clearInterval(watch);
    silent.abort(); // whoever stops in between hangs up
  }
}

async function stateOf(log: LogName, signal: AbortSignal): Promise<LogLines> {
  return await get<LogLines>(`${logPath(log)}/lines`, { limit: 1 }, signal);
}

// A daemon that stops ends the answer too: the log says itself whether that was its end.
async function isWhole(log: LogName, offset: number, signal: AbortSignal): Promise<boolean> {
  const { state, bytes } = await stateOf(log, signal);
  return state !== 'open' && bytes <= offset;
}
