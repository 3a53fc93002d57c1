// The service that keeps tasks moving: sweeps, hands verified runs to the submission, and does the daily and minutely chores.
// Started by main.ts in the role `scheduler`. Errors are logged; a database that is away is waited for.
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../db/connect.ts';
import { SubmissionQueue } from './submission-queue.ts';
import { SweepGrace } from './sweep-grace.ts';
import { sweep, type SweepOptions, type SweepPolicy } from './sweep.ts';

/** Something that is done every so often, the first time when the scheduler starts. */
export interface Chore {
  name: string;
  everySeconds: number;
  run(signal: AbortSignal): Promise<unknown>;
}

export interface SchedulerOptions {
  db: Database;
  policy: SweepPolicy;
  scheduling: SweepOptions['scheduling'];
  /** Where the days of budgets begin. */
  timeZone: string;
  /** No lease is swept for this long after the start, a time without sweeps, or a jump of the clock: workers get time to reach us. */
  startupGraceSeconds: number;
  /** Opens the change of a run in `submitting`, or reports why not; may be called again for the same run. */
  submit(run: string): Promise<void>;
  giveUp(run: string, reason: string): Promise<void>;
  chores: Chore[];
  log: {
    info(message: string, fields?: object): void;
    warn(message: string, fields?: object): void;
    error(message: string, fields?: object): void;
  };
}

const SWEEP_SECONDS = 2;
/** Without a sweep for so long, this process was stopped or its database away: heartbeats had nobody to take them. */
const ABSENCE_MS = 3 * SWEEP_SECONDS * 1000;

/** One scheduler an installation; start and stop may be called again. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #grace: SweepGrace;
  #stopping = new AbortController();
  #loops: Promise<unknown> | undefined;
  #lastSweep = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#grace = new SweepGrace(options.startupGraceSeconds);
  }

  /** Begins to sweep and to submit, with what an earlier process left behind. */
  start(): void {
    if (this.#loops !== undefined) return;
    this.#stopping = new AbortController();
    this.#lastSweep = -Infinity;
    const sweeps = { name: 'sweep', everySeconds: SWEEP_SECONDS, run: () => this.#sweep() };
    const repeated = [sweeps, ...this.#options.chores].map((chore) => this.#repeat(chore));
    this.#loops = Promise.all([new SubmissionQueue(this.#options).run(this.#stopping.signal), ...repeated]);
  }

  /** Stops; a submission that is under way is waited for. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loops;
    this.#loops = undefined;
  }

  async #repeat({ name, everySeconds, run }: Chore): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await run(signal);
      } catch (error) {
        if (!signal.aborted)
          this.#options.log.error(
            `${name} failed, it is tried again in ${everySeconds} s: ${String(error)}`,
            { error },
          );
      }
      await delay(everySeconds * 1000, undefined, { signal }).catch(() => {});
    }
  }

  async #sweep(): Promise<void> {
    const { db, policy, scheduling, timeZone, log } = this.#options;
    const now = performance.now();
    if (now - this.#lastSweep > ABSENCE_MS) this.#grace.begin(now);
    const leases = await this.#grace.isOver(db, now);
    const onError = (error: unknown) =>
      log.error(`the sweep could not mend something: ${String(error)}`, { error });
    const counts = await sweep(db, { policy, leases, scheduling, timeZone, onError });
    this.#lastSweep = performance.now();
    const mended = Object.entries(counts).filter(([, count]) => count > 0);
    if (mended.length > 0)
      log.info(`swept: ${mended.map(([what, count]) => `${count} ${what}`).join(', ')}`, counts);
  }
}
