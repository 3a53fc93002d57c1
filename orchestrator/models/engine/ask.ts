// One request to an engine over a pool of connections, and its answer as it arrives. Used by upstream.ts. What a pool's own
// `request` does, without the stream that it makes of each answer: every token of every run comes this way.
import type { Dispatcher } from 'undici';
import type { EngineAnswer } from './engine.ts';

/** Sends it; resolves when the answer has begun. `wholeMs`: an answer that has not ended by then is cut. */
export async function ask(
  pool: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { signal, wholeMs }: { signal: AbortSignal; wholeMs: number },
): Promise<EngineAnswer> {
  signal.throwIfAborted();
  const began = Promise.withResolvers<EngineAnswer>();
  const arriving = arrivals();
  let controller: Dispatcher.DispatchController | undefined;
  let cutBy: Error | undefined;

  const over = (error?: Error) => {
    clearTimeout(late);
    signal.removeEventListener('abort', gone);
    arriving.end(error);
    began.reject(error);
  };
  const cut = (reason: Error) => {
    cutBy ??= reason;
    over(reason);
    controller?.abort(cutBy);
  };
  const gone = () => cut(signal.reason as Error);
  const late = setTimeout(() => cut(new Error(`no end after ${wholeMs / 1000} s`)), wholeMs);
  signal.addEventListener('abort', gone);

  try {
    pool.dispatch(request, {
      onRequestStart(own) {
        controller = own;
        if (cutBy !== undefined) own.abort(cutBy);
      },
      onResponseStart(own, status, headers) {
        if (status < 200) return; // a word in between
        const leave = () => cut(new Error('the answer was left'));
        began.resolve({ status, headers, body: arriving.read({ more: () => own.resume(), leave }) });
      },
      onResponseData(own, chunk) {
        if (arriving.add(chunk)) own.pause();
      },
      onResponseEnd: () => over(),
      onResponseError: (_, error) => over(error),
    });
  } catch (error) {
    over(error as Error); // a header that cannot be sent
  }
  return await began.promise;
}

/** So many bytes wait for a reader at most; then the engine waits. */
const WAITING_BYTES = 64 * 1024;
// Small pieces come faster than anybody reads, and each way through the gateway costs time: those of so long go on
// together. Only the first of an answer go at once, so that it is seen to begin, and its end.
const TOGETHER_MS = 20;
const AT_ONCE = 3;
const FULL_BYTES = 16 * 1024;

interface Arrivals {
  /** True when the reader is far behind. */
  add(chunk: Uint8Array): boolean;
  /** Nothing more comes; only the first call counts. */
  end(error?: Error): void;
  /** `more`: the reader has caught up; `leave`: it went away before the end. */
  read(reader: { more(): void; leave(): void }): AsyncIterable<Uint8Array>;
}

function arrivals(): Arrivals {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  let ended: { error: Error | undefined } | undefined;
  let wake = () => {};
  let given = 0;
  let pause: NodeJS.Timeout | undefined;
  const ready = () => ended !== undefined || (pause === undefined ? waiting.length > 0 : bytes > FULL_BYTES);
  const goOn = () => {
    pause = undefined;
    wake();
  };
  return {
    add(chunk) {
      waiting.push(chunk);
      bytes += chunk.length;
      if (ready()) wake();
      return bytes > WAITING_BYTES;
    },
    end(error) {
      ended ??= { error };
      clearTimeout(pause);
      wake();
    },
    read: ({ more, leave }) => {
      const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
        while (!ready()) await new Promise<void>((resolve) => (wake = resolve));
        if (waiting.length > 0) {
          const value = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting);
          const far = bytes > WAITING_BYTES;
          waiting = [];
          bytes = 0;
          if (far) more();
          if (++given >= AT_ONCE && ended === undefined) pause ??= setTimeout(goOn, TOGETHER_MS);
          return { done: false, value };
        }
        if (ended?.error !== undefined) throw ended.error;
        return { done: true, value: undefined };
      };
      const left = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
        if (ended === undefined) leave();
        return { done: true, value: undefined };
      };
      return { [Symbol.asyncIterator]: () => ({ next, return: left }) };
    },
  };
}
