// When leases may be swept: not soon after nobody was there to take heartbeats, nor after the database's clock has jumped, which
// makes leases look expired that were told a moment ago. Used by scheduler.ts and by simulations.
import type { Queryable } from '../db/connect.ts';

/** The clock may run faster or slower than the monotonic one by so much between two sweeps. */
const JUMP_MS = 5_000;

export class SweepGrace {
  readonly #graceMs: number;
  /** By the monotonic clock, in milliseconds. */
  endsAt = 0;
  /** How far the database's clock is ahead of the monotonic one. */
  #ahead: number | undefined;

  constructor(graceSeconds: number) {
    this.#graceMs = graceSeconds * 1000;
  }

  /** From now on, a time of the monotonic clock in milliseconds, workers get time to reach us. */
  begin(now: number): void {
    this.endsAt = now + this.#graceMs;
  }

  /** Whether leases may be swept now, by the monotonic clock and the database's. */
  async isOver(db: Queryable, now: number): Promise<boolean> {
    const { rows } = await db.query<{ clock: Date }>({ name: 'clock', text: 'select now() as clock' });
    const ahead = rows[0]!.clock.getTime() - now;
    if (this.#ahead !== undefined && Math.abs(ahead - this.#ahead) > JUMP_MS) this.begin(now);
    this.#ahead = ahead;
    return now >= this.endsAt;
  }
}
