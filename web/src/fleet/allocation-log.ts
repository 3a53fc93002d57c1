// What the claimer of an allocation writes, from its last 64 KiB on, as it comes. Nomad knows no byte to go on from: where the
// connection is lost, it begins with the end of the log anew. Used by allocation-page.tsx.
import { useEffect, useState } from 'react';
import type { ErrorBody } from '../../../protocol/errors.ts';
import type { LogLine } from '../../../protocol/log.ts';
import { ApiError, proofHeaders } from '../api/client.ts';
import { LineSplitter } from '../log/line-splitter.ts';

const TAIL_BYTES = 64 * 1024;
const MOST_LINES = 2_000;
const AGAIN_MS = 3_000;

export type LogStream = 'stdout' | 'stderr';

export interface AllocationLog {
  lines: LogLine[];
  error: unknown;
}

const EMPTY: AllocationLog = { lines: [], error: undefined };

/** The lines so far; they are asked for again and again while the allocation `goesOn`. */
export function useAllocationLog(id: string, stream: LogStream, goesOn: boolean): AllocationLog {
  const [log, setLog] = useState(EMPTY);
  useEffect(() => {
    const stop = new AbortController();
    setLog(EMPTY);
    void follow(id, stream, goesOn, stop.signal, setLog);
    return () => stop.abort();
  }, [id, stream, goesOn]);
  return log;
}

async function follow(
  id: string,
  stream: LogStream,
  goesOn: boolean,
  signal: AbortSignal,
  show: (log: AllocationLog) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const lines of tail(id, stream, signal)) show({ lines, error: undefined });
    } catch (error) {
      if (signal.aborted) return;
      show({ lines: [], error });
    }
    if (!goesOn) return;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function* tail(id: string, stream: LogStream, signal: AbortSignal): AsyncGenerator<LogLine[]> {
  const query = `stream=${stream}&follow=true&tailBytes=${TAIL_BYTES}`;
  const answer = await fetch(`/api/v1/fleet/allocations/${id}/logs?${query}`, {
    headers: proofHeaders(),
    credentials: 'same-origin',
    cache: 'no-store',
    signal,
  });
  if (!answer.ok) throw new ApiError(answer.status, ((await answer.json()) as ErrorBody).error);
  const reader = answer.body!.getReader();
  const splitter = new LineSplitter(1, 0);
  let lines: LogLine[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    lines = [...lines, ...splitter.take(value)].slice(-MOST_LINES);
    const open = splitter.open();
    yield open === undefined ? lines : [...lines, open];
  }
}
