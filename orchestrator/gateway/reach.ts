// Getting an answer to begin: the rungs are tried one after the other until one of them answers, and nothing has gone to
// the client before. Used by exchange.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Engines } from '../models/engines.ts';
import type { EngineAnswer, EngineRequest } from '../models/engine/engine.ts';
import type { Admission } from './paying.ts';
import { breakers } from './breaker.ts';
import type { Breakers } from './breaker.ts';
import type { Rung } from './ladder.ts';
import { engineQueue } from './queue.ts';
import type { Enter } from './queue.ts';

/** What stands between the gateway and its engines, for all calls. */
export interface Upstreams {
  engines: Engines;
  breakers: Breakers;
  /** The queue of the rung's engine; undefined where it has no limit. */
  queueOf(rung: Rung): Enter | undefined;
}

/** One rung, about to be tried: where it was admitted and what it is sent. */
export interface Attempt {
  admission: Admission;
  request: EngineRequest;
}

export interface Reached extends Attempt {
  rung: Rung;
  answer: EngineAnswer;
  queueMs: number;
  /** Why the rungs before were passed over. */
  fallback: string | null;
  /** Gives the place at the engine back. */
  leave(): void;
}

/** An engine that answers so has not begun to work on the request. */
const PASSING = new Set([429, 502, 503, 504]);

/** Makes breakers and queues in front of the engines. */
export function upstreams(engines: Engines): Upstreams {
  const queues = new Map<string, Enter>();
  return {
    engines,
    breakers: breakers(),
    queueOf({ model: { serves } }) {
      if (serves.kind !== 'upstream' || serves.engine.concurrency === undefined) return undefined;
      const { name, concurrency, queue, queueSeconds } = serves.engine;
      const enter =
        queues.get(name) ?? engineQueue({ engine: name, concurrency, queue, maxWaitMs: queueSeconds * 1000 });
      queues.set(name, enter);
      return enter;
    },
  };
}

/** Tries the rungs. `attempt` asks for admission and makes the request; what the last rung says is the answer, whatever it is. */
export async function reach(
  { engines, breakers: circuits, queueOf }: Upstreams,
  rungs: readonly Rung[],
  signal: AbortSignal,
  attempt: (rung: Rung) => Promise<Attempt>,
): Promise<Reached> {
  const passed: string[] = [];
  const fallback = () => (passed.length === 0 ? null : passed.join('; '));
  for (const [index, rung] of rungs.entries()) {
    const { name } = rung.model;
    const last = index === rungs.length - 1;
    const started = performance.now();
    let leave = () => {};
    let tried: Attempt | undefined;
    try {
      circuits.check(name);
      leave = (await queueOf(rung)?.(name, signal)) ?? leave;
      const queueMs = Math.round(performance.now() - started);
      tried = await attempt(rung);
      const answer = await engines.of(rung.model.serves).answer(tried.request);
      const { status, headers } = answer;
      if (PASSING.has(status)) circuits.failed(name, Number(headers['retry-after'] ?? 0) * 1000 || 0);
      else circuits.succeeded(name);
      if (!PASSING.has(status) || last)
        return { ...tried, rung, answer, queueMs, fallback: fallback(), leave };
      passed.push(`${name} answered ${status}`);
      for await (const _ of answer.body) break; // leaving the body ends the request
    } catch (error) {
      leave();
      if (signal.aborted || !passesOn(error)) throw error;
      if (tried !== undefined) circuits.failed(name);
      if (last) throw error;
      tried?.admission.release();
      passed.push(`${name}: ${error.message}`);
      continue;
    }
    leave();
    tried.admission.release();
  }
  throw new Error('a call has at least one rung');
}

function passesOn(error: unknown): error is AutocodeError {
  return (
    error instanceof AutocodeError &&
    (error.code === 'ERR_ENGINE_UNAVAILABLE' || error.code === 'ERR_ENGINE_BUSY')
  );
}
