// Getting an answer to begin: the rungs are tried one after the other until one of them answers, and nothing has gone to
// the client before. Used by exchange.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Served } from '../models/catalogue.ts';
import type { Engines } from '../models/engines.ts';
import type { Engine, EngineAnswer, EngineRequest } from '../models/engine/engine.ts';
import type { Acquired } from '../models/supervisor/acquired.ts';
import type { Admission } from './paying.ts';
import { breakers } from './breaker.ts';
import type { Breakers } from './breaker.ts';
import type { Rung } from './ladder.ts';
import { engineQueue } from './queue.ts';
import type { Enter } from './queue.ts';

/** What stands between the gateway and its engines, for all calls. */
export interface Upstreams {
  breakers: Breakers;
  /** A place at the engine of the rung. `wait`: also for a model that has to be loaded first. */
  enter(rung: Rung, wait: boolean, signal: AbortSignal): Promise<Place>;
}

/** A place at an engine, for one call. */
export interface Place {
  engine: Engine;
  /** Where a model of the appliance's own runs. */
  replica?: Pick<Acquired, 'url' | 'served' | 'gpus' | 'failed'>;
  /** Gives it back. */
  leave(): void;
}

/** One rung, about to be tried: where it was admitted and what it is sent. */
export interface Attempt {
  admission: Admission;
  request: EngineRequest;
}

export interface Reached {
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
  // Undefined where the engine has no limit.
  const queueOf = (serves: Served): Enter | undefined => {
    if (serves.kind !== 'upstream' || serves.engine.concurrency === undefined) return undefined;
    const { name, concurrency, queue, queueSeconds } = serves.engine;
    const enter =
      queues.get(name) ?? engineQueue({ engine: name, concurrency, queue, maxWaitMs: queueSeconds * 1000 });
    queues.set(name, enter);
    return enter;
  };
  return {
    breakers: breakers(),
    async enter({ model: { name, serves } }, wait, signal) {
      if (serves.kind === 'local') {
        const { engine, release, ...replica } = await engines.acquire(serves, { wait, signal });
        return { engine, replica, leave: release };
      }
      const leave = await queueOf(serves)?.(name, signal);
      return { engine: engines.of(serves), leave: leave ?? (() => {}) };
    },
  };
}

/** Tries the rungs. `attempt` asks for admission and makes the request; what the last rung says is the answer, whatever it is. */
export async function reach(
  { breakers: circuits, enter }: Upstreams,
  rungs: readonly Rung[],
  signal: AbortSignal,
  attempt: (rung: Rung, place: Place) => Promise<Attempt>,
): Promise<Reached> {
  const passed: string[] = [];
  const fallback = () => (passed.length === 0 ? null : passed.join('; '));
  // A model that has to be loaded is passed over while another one can answer; where none can, it is waited for.
  const tries = rungs.map((rung) => ({ rung, wait: rungs.length === 1 }));
  for (const [index, { rung, wait }] of tries.entries()) {
    const { name, kind } = rung.model;
    const last = index === tries.length - 1;
    const started = performance.now();
    let place: Place | undefined;
    let tried: Attempt | undefined;
    try {
      circuits.check(name);
      place = await enter(rung, wait, signal);
      const queueMs = Math.round(performance.now() - started);
      tried = await attempt(rung, place);
      const answer = await place.engine.answer(tried.request);
      const { status, headers } = answer;
      if (PASSING.has(status)) circuits.failed(name, Number(headers['retry-after'] ?? 0) * 1000 || 0);
      else circuits.succeeded(name);
      if (!PASSING.has(status) || last)
        return {
          rung,
          answer,
          queueMs,
          fallback: fallback(),
          leave: place.leave,
        };
      passed.push(`${name} answered ${status}`);
      for await (const _ of answer.body) break; // leaving the body ends the request
    } catch (error) {
      if (tried !== undefined && !signal.aborted) place?.replica?.failed();
      place?.leave();
      if (signal.aborted || !passesOn(error)) throw error;
      // That its key cannot be had now says nothing of the engine.
      if (tried !== undefined && error.code !== 'ERR_VAULT_UNAVAILABLE') circuits.failed(name);
      const loads = kind === 'local' && !wait && place === undefined && error.code === 'ERR_ENGINE_BUSY';
      if (loads) tries.push({ rung, wait: true });
      else if (last) throw error;
      tried?.admission.release();
      passed.push(`${name}: ${error.message}`);
      continue;
    }
    place.leave();
    tried.admission.release();
  }
  throw new Error('a call has at least one rung');
}

function passesOn(error: unknown): error is AutocodeError {
  return (
    error instanceof AutocodeError &&
    ['ERR_ENGINE_UNAVAILABLE', 'ERR_ENGINE_BUSY', 'ERR_VAULT_UNAVAILABLE'].includes(error.code)
  );
}
