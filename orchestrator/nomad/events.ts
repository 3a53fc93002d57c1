// Nomad's event stream, followed for as long as somebody listens: it is taken up again where it was lost, and what may have
// been missed meanwhile is told as a gap. Used by client.ts.
import { setTimeout as delay } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { FleetEvent } from './answers.ts';
import type { FleetChange } from './client.ts';
import type { NomadApi } from './http.ts';

const Batch = z.object({ Index: z.number().optional(), Events: z.array(FleetEvent).nullish() });

/** Nomad sends something every 10 s. */
const SILENCE_MS = 35_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

interface FollowOptions {
  topics: string[];
  index?: number | undefined;
  signal: AbortSignal;
}

/** Ends with the signal, and with a token that may not listen; everything else is tried again. */
export async function* followEvents(
  api: NomadApi,
  { topics, index, signal }: FollowOptions,
): AsyncGenerator<FleetChange> {
  let last = index ?? 0;
  let before = index !== undefined; // whether something may have been missed
  for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const connection = new AbortController();
    const together = AbortSignal.any([signal, connection.signal]);
    try {
      const query = { topic: topics, ...(last === 0 ? {} : { index: last }) };
      const stream = await api.stream('event/stream', {
        needs: 'read-job, node:read',
        query,
        signal: together,
      });
      let resumed = before;
      before = true;
      for await (const batch of batches(stream, connection)) {
        pause = FIRST_PAUSE_MS;
        // The buffer of a server begins anew with its process: if it still has the event seen last, it has all since.
        if (resumed && batch.Index !== last) yield { gap: true };
        resumed = false;
        if (batch.Index === undefined || batch.Index <= last) continue;
        last = batch.Index;
        yield { gap: false, index: last, events: batch.Events ?? [] };
      }
    } catch (error) {
      if (signal.aborted) return;
      if ((error as { code?: string }).code === 'ERR_NOMAD_DENIED') throw error;
    } finally {
      connection.abort();
    }
    await delay(pause, undefined, { signal }).catch(() => {});
  }
}

async function* batches(
  stream: Readable,
  connection: AbortController,
): AsyncGenerator<z.output<typeof Batch>> {
  const silence = setTimeout(() => connection.abort(), SILENCE_MS);
  try {
    for await (const line of createInterface({
      input: stream,
      crlfDelay: Infinity,
      signal: connection.signal,
    })) {
      silence.refresh();
      const batch = line.trim() === '' ? undefined : Batch.parse(JSON.parse(line));
      if (batch !== undefined) yield batch;
    }
  } finally {
    clearTimeout(silence);
  }
}
