// The queue in front of an engine that takes so many requests at a time. Requests for the model that was served last go
// first, since changing models costs an engine seconds; nobody is passed over for longer than half the longest wait.
// Used by reach.ts, one queue an engine.
import { AutocodeError } from '../../protocol/errors.ts';

export interface QueueLimits {
  engine: string;
  concurrency: number;
  /** How many may wait. */
  queue: number;
  maxWaitMs: number;
}

/** Waits for a place and answers what gives it back; ERR_ENGINE_BUSY when there is none in time. */
export type Enter = (model: string, signal: AbortSignal) => Promise<() => void>;

interface Waiting {
  model: string;
  since: number;
  admit(): void;
}

/** Makes the queue of one engine. */
export function engineQueue(limits: QueueLimits): Enter {
  const waiting: Waiting[] = [];
  let running = 0;
  let serving = '';

  const take = (model: string): (() => void) => {
    running++;
    serving = model;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      running--;
      next();
    };
  };
  const next = () => {
    const [oldest] = waiting;
    if (oldest === undefined || running >= limits.concurrency) return;
    const overdue = performance.now() - oldest.since > limits.maxWaitMs / 2;
    const chosen = overdue ? oldest : (waiting.find(({ model }) => model === serving) ?? oldest);
    waiting.splice(waiting.indexOf(chosen), 1);
    chosen.admit();
  };
  return async (model, signal) => {
    signal.throwIfAborted();
    if (running < limits.concurrency && waiting.length === 0) return take(model);
    if (waiting.length >= limits.queue) throw busy(limits, `${waiting.length} requests wait for it already`);
    const place = Promise.withResolvers<() => void>();
    const mine: Waiting = {
      model,
      since: performance.now(),
      admit: () => place.resolve(take(model)),
    };
    waiting.push(mine);
    const leave = (error: unknown) => {
      const at = waiting.indexOf(mine);
      if (at < 0) return;
      waiting.splice(at, 1);
      place.reject(error);
    };
    const late = setTimeout(() => leave(busy(limits, 'no place came free in time')), limits.maxWaitMs);
    const gone = () => leave(signal.reason);
    signal.addEventListener('abort', gone, { once: true });
    try {
      return await place.promise;
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', gone);
    }
  };
}

function busy({ engine, maxWaitMs }: QueueLimits, why: string): AutocodeError {
  const retryAfter = Math.ceil(Math.min(maxWaitMs, 30_000) / 1000);
  return new AutocodeError('ERR_ENGINE_BUSY', `The engine ${engine} is full: ${why}.`, {
    remedy: `Send the request again in ${retryAfter} s.`,
    details: { retryAfter },
  });
}
