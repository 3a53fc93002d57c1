// Keeps prompts and answers of runs whose project wants that: hands them to a thread, one at a time. What is waiting when
// the process dies is lost, no call waits for it. Made by main.ts, used by the gateway.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Protocol } from '../../protocol/model.ts';
import type { LiveValue } from '../secrets/live-values.ts';

/** A call of a run as its client saw it. */
export interface PromptToKeep {
  run: string;
  request: string;
  protocol: Protocol;
  body: Uint8Array;
  /** Undefined: it did not come to a good end. */
  answer: { streamed: boolean; bytes: Uint8Array } | undefined;
}

export interface PromptKeeper {
  /** Returns at once. */
  keep(prompt: PromptToKeep): void;
  /** Writes what waits, for some seconds at most. */
  close(): Promise<void>;
}

export interface PromptKeeperParts {
  directory: string;
  /** The age key; asked for before the first prompt. */
  key(): Promise<string>;
  /** The secrets to take out by their values; a prompt for which they cannot be had is not kept. */
  live(): Promise<LiveValue[]>;
  warn(message: string, fields: object): void;
  /** How long one may take. */
  timeoutMs?: number;
  /** How many bytes may wait. */
  waitingBytes?: number;
}

const CLOSE_MS = 5_000;

/** A keeper; its thread starts with the first prompt. */
export function promptKeeper(parts: PromptKeeperParts): PromptKeeper {
  const { directory, key, live, warn, timeoutMs = 30_000, waitingBytes = 128 * 1024 * 1024 } = parts;
  const waiting: PromptToKeep[] = [];
  let bytes = 0;
  let thread: Worker | undefined;
  let working: Promise<void> | undefined;

  const start = async () => {
    const { identityToRecipient } = await import('age-encryption');
    const recipient = await identityToRecipient(await key());
    thread = new Worker(new URL('sealing-thread.ts', import.meta.url), {
      workerData: { directory, recipient },
      env: {},
    });
    // A worker that fails while nobody waits for it must not end the process.
    thread.on('error', () => {});
    thread.unref();
    return thread;
  };
  const end = async () => {
    const ending = thread;
    thread = undefined;
    await ending?.terminate();
  };
  const seal = async (prompt: PromptToKeep) => {
    const over = new AbortController();
    try {
      const values = await live();
      const sealing = thread ?? (await start());
      const signal = AbortSignal.any([over.signal, AbortSignal.timeout(timeoutMs)]);
      const done = once(sealing, 'message', { signal });
      const ended = once(sealing, 'exit', { signal }).then(() => ['its thread ended']);
      sealing.postMessage({ prompt, live: values });
      const [problem] = (await Promise.race([done, ended])) as [string | undefined];
      if (problem !== undefined) throw new Error(problem);
    } catch (error) {
      await end();
      const { run, request } = prompt;
      warn('a prompt could not be kept', { run, requestId: request, error });
    } finally {
      over.abort();
    }
  };
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await seal(next);
      bytes -= sizeOf(next);
    }
    working = undefined;
  };

  return {
    keep(prompt) {
      const { run, request } = prompt;
      if (bytes + sizeOf(prompt) > waitingBytes)
        return warn('a prompt is not kept: too many are waiting', { run, requestId: request });
      bytes += sizeOf(prompt);
      waiting.push(prompt);
      working ??= work();
    },
    async close() {
      const patience = new AbortController();
      await Promise.race([working, delay(CLOSE_MS, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
      waiting.length = 0;
      await end();
    },
  };
}

function sizeOf({ body, answer }: PromptToKeep): number {
  return body.length + (answer?.bytes.length ?? 0);
}
