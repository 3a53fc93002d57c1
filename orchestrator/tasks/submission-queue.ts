// Hands verified runs to the submission, a few at a time, those that an earlier process left first. Used by scheduler.ts.
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Database } from '../db/connect.ts';
import { onNotify } from '../db/notifications.ts';
import { noteSubmissionTrouble, runsToSubmit } from './submission-state.ts';

const AT_ONCE = 2;
const LOOK_AGAIN_MS = 2_000;
/** A submission that breaks off without a report, as when the forge is away, is tried for the better part of an hour. */
const TRIES = 15;
/** While Vault is away or sealed a run waits for it, and is submitted soon after. */
const AWAY_TRIES = 3;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 300_000;

/** What the queue works with; part of the scheduler's options. */
export interface SubmissionQueueOptions {
  db: Database;
  submit(run: string): Promise<void>;
  /** Ends a run whose submission was tried often enough. */
  giveUp(run: string, reason: string): Promise<void>;
  log: { warn(message: string, fields?: object): void; error(message: string, fields?: object): void };
}

/** Runs in `submitting`, each handed over until it is reported as submitted or failed. */
export class SubmissionQueue {
  readonly #options: SubmissionQueueOptions;
  readonly #underWay = new Map<string, Promise<void>>();
  #tries = new Map<string, { count: number; notBefore: number }>();
  #wake = () => {};

  constructor(options: SubmissionQueueOptions) {
    this.#options = options;
  }

  /** Works until the signal, then waits for what is under way. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = () => this.#wake();
    signal.addEventListener('abort', onAbort);
    let forget: (() => void) | undefined;
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      try {
        forget ??= await onNotify(this.#options.db, 'run', () => this.#wake());
        await this.#beginSome();
      } catch (error) {
        this.#options.log.warn(`runs to submit cannot be read, they are looked for again: ${String(error)}`, {
          error,
        });
      }
      const timer = new AbortController();
      await Promise.race([woken, delay(LOOK_AGAIN_MS, undefined, { signal: timer.signal }).catch(() => {})]);
      timer.abort();
    }
    forget?.();
    signal.removeEventListener('abort', onAbort);
    await Promise.all(this.#underWay.values());
  }

  async #beginSome(): Promise<void> {
    const waiting = await runsToSubmit(this.#options.db);
    this.#tries = new Map([...this.#tries].filter(([run]) => waiting.includes(run)));
    const ready = waiting.filter(
      (run) => !this.#underWay.has(run) && performance.now() >= (this.#tries.get(run)?.notBefore ?? 0),
    );
    for (const run of ready.slice(0, AT_ONCE - this.#underWay.size)) {
      const submission = this.#submit(run).finally(() => {
        this.#underWay.delete(run);
        this.#wake();
      });
      this.#underWay.set(run, submission);
    }
  }

  async #submit(run: string): Promise<void> {
    let count = (this.#tries.get(run)?.count ?? 0) + 1;
    try {
      await this.#options.submit(run);
    } catch (error) {
      if (isAway(error)) count = Math.min(count, AWAY_TRIES);
      this.#options.log.error(
        `run ${run} could not be submitted (try ${count} of ${TRIES}): ${String(error)}`,
        { run, error },
      );
      await this.#noteFailure(run, error, count);
    }
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (count - 1), LONGEST_PAUSE_MS);
    this.#tries.set(run, { count, notBefore: performance.now() + pause });
  }

  async #noteFailure(run: string, cause: unknown, count: number): Promise<void> {
    const { db, giveUp, log } = this.#options;
    const reason = `The result could not be submitted: ${cause instanceof Error ? cause.message : String(cause)}`;
    try {
      if (count < TRIES) await noteSubmissionTrouble(db, run, reason);
      else await giveUp(run, reason);
    } catch (error) {
      log.error(`the failed submission of run ${run} could not be recorded: ${String(error)}`, {
        run,
        error,
      });
    }
  }
}

function isAway(error: unknown): boolean {
  return error instanceof AutocodeError && error.code === 'ERR_VAULT_UNAVAILABLE';
}
