// The workers of a simulation with the runs that they have. They keep to what real ones do, but the heartbeats of a run are told
// all at once, as one that reaches to its end; before anything that keeps them away, the last one is told as it was.
// Used by simulate.ts.
import { randomUUID } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';
import type { FinishInput } from '../../protocol/run.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import type { Due, Orchestrator } from './orchestrator.ts';
import type { Work } from './work.ts';
import type { WorldWorker } from './world.ts';

/** A run in the hands of a worker. */
export interface CrewRun {
  order: WorkOrder;
  worker: CrewWorker;
  /** When its work is done, in seconds from the beginning. */
  endsAt: number;
  /** `vanished`: nothing is heard of it any more then. */
  outcome: FinishInput['outcome'] | 'vanished';
}

interface CrewWorker extends WorldWorker {
  runs: Map<string, CrewRun>;
  /** Asked with again until it was answered. */
  claimId: string;
  /** Cannot reach the orchestrator until then. */
  awayUntil: number;
}

/** What workers go by. */
export interface CrewDeps {
  leaseSeconds: number;
  orchestrator(): Orchestrator;
  now(): number;
  /** When the database's clock says so, as things are. */
  elapsedAt(time: Date): number;
  workOf(order: WorkOrder): Work;
  /** Lets something happen to a run later. */
  later(at: number, what: CrewEvent): void;
}

/** What happens to a run: its work is done, it has vanished, its worker tells that it lives. */
export type CrewEvent = { end: CrewRun } | { vanished: CrewRun } | { beat: CrewRun };

export class Crew {
  readonly #deps: CrewDeps;
  readonly #workers: CrewWorker[];

  constructor(workers: WorldWorker[], deps: CrewDeps) {
    this.#deps = deps;
    this.#workers = workers.map((worker) => ({
      ...worker,
      runs: new Map(),
      claimId: randomUUID(),
      awayUntil: 0,
    }));
  }

  /**
   * Takes runs while there are some: the worker that has most room asks, and what it gets nothing of the others get nothing of.
   * Answers what is due afterwards.
   */
  async claim(): Promise<Due> {
    const { orchestrator } = this.#deps;
    for (;;) {
      const due = await orchestrator().due();
      const worker = due.queued ? this.#freest() : undefined;
      const order = worker && (await orchestrator().claim(worker.name, worker.claimId));
      if (!worker || !order) return due;
      worker.claimId = randomUUID();
      await this.#begin(worker, order);
    }
  }

  #freest(): CrewWorker | undefined {
    const room = ({ capacity, runs }: CrewWorker) => capacity - runs.size;
    return this.#workers
      .filter((worker) => room(worker) > 0 && this.#isHere(worker))
      .reduce<CrewWorker | undefined>(
        (most, each) => (most && room(most) >= room(each) ? most : each),
        undefined,
      );
  }

  async #begin(worker: CrewWorker, order: WorkOrder): Promise<void> {
    const { now, later, leaseSeconds, workOf, elapsedAt } = this.#deps;
    const { takes, ends } = workOf(order);
    const deadline = elapsedAt(new Date(order.deadline));
    const endsAt = Math.min(now() + takes, deadline);
    const wanted = ends === 'lost' ? 'vanished' : (ends as CrewRun['outcome']);
    const run = { order, worker, endsAt, outcome: endsAt === deadline ? 'out-of-time' : wanted } as const;
    worker.runs.set(order.run, run);
    await this.#hold(run);
    if (run.outcome === 'vanished') later(endsAt + leaseSeconds, { vanished: run });
    else later(endsAt, { end: run });
  }

  /** Something happens to a run; answers whether it is to be submitted. */
  async happen(what: CrewEvent): Promise<boolean> {
    const run = 'end' in what ? what.end : 'beat' in what ? what.beat : what.vanished;
    const { worker, order, outcome } = run;
    if (!worker.runs.has(order.run)) return false;
    if (!this.#isHere(worker)) {
      this.#deps.later(worker.awayUntil, what);
      return false;
    }
    if ('beat' in what) {
      if (await isStale(this.#hold(run))) worker.runs.delete(order.run);
      return false;
    }
    const stale = outcome === 'vanished' || (await isStale(this.#deps.orchestrator().finish(order, outcome)));
    worker.runs.delete(order.run);
    return !stale && outcome === 'verified';
  }

  // All heartbeats up to its end.
  async #hold({ order, endsAt }: CrewRun): Promise<void> {
    const { orchestrator, now, leaseSeconds } = this.#deps;
    await orchestrator().beat(order, Math.max(endsAt - now(), 0) + leaseSeconds);
  }

  /** Workers that can be are seen, as by their polls. */
  async see(): Promise<void> {
    for (const worker of this.#workers)
      if (this.#isHere(worker)) await this.#deps.orchestrator().see(worker.name);
  }

  /** A worker cannot reach the orchestrator for a while. */
  async leave(name: string, seconds: number): Promise<void> {
    const found = this.#workers.find((worker) => worker.name === name);
    if (found === undefined) {
      throw new AutocodeError('ERR_INVALID_INPUT', `The scenario has no worker ${name}.`, {
        remedy: `It has ${this.#workers.map((worker) => worker.name).join(', ')}.`,
      });
    }
    await this.#lastHeartbeats([found]);
    found.awayUntil = this.#deps.now() + seconds;
    this.#beatAt(found.awayUntil, [found]);
  }

  /** From now on no heartbeat counts, until that moment. */
  async unheardUntil(at: number): Promise<void> {
    await this.#lastHeartbeats(this.#workers);
    this.#beatAt(at, this.#workers);
  }

  async #lastHeartbeats(workers: CrewWorker[]): Promise<void> {
    const { orchestrator, leaseSeconds } = this.#deps;
    for (const { runs } of workers)
      for (const { order, outcome } of runs.values())
        if (outcome !== 'vanished') await isStale(orchestrator().beat(order, leaseSeconds));
  }

  #beatAt(at: number, workers: CrewWorker[]): void {
    for (const { runs } of workers)
      for (const run of runs.values()) if (run.outcome !== 'vanished') this.#deps.later(at, { beat: run });
  }

  #isHere({ awayUntil }: CrewWorker): boolean {
    return awayUntil <= this.#deps.now();
  }
}

/** Whether somebody else has the run by now, so that its worker lets it go. */
async function isStale(telling: Promise<unknown>): Promise<boolean> {
  try {
    await telling;
    return false;
  } catch (error) {
    if (error instanceof AutocodeError && error.code === 'ERR_STALE_FENCE') return true;
    throw error;
  }
}
