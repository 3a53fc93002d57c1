// Tells the database how far logs have come. Batches of many runs arrive at once; those that wait go in one statement,
// so that a hundred runs cost about as much as one. Used by the log store.
import type { Queryable } from '../db/connect.ts';
import { sqlState } from '../db/connect.ts';

/** A stream has grown on disk, from the length in the database to a new one. */
export interface Growth {
  run: string;
  fence: number;
  stream: string;
  have: number;
  bytes: number;
  /** How many of the new bytes are masked. */
  masked: number;
}

interface Waiting {
  growth: Growth;
  told: (taken: boolean) => void;
  failed: (error: unknown) => void;
}

const queues = new WeakMap<Queryable, Queue>();

/** Records a growth; false when the stream is not where it is said to be, or takes no more under this fence. */
export async function acknowledge(db: Queryable, growth: Growth): Promise<boolean> {
  const queue = queues.get(db) ?? new Queue(db);
  queues.set(db, queue);
  return await queue.add(growth);
}

class Queue {
  readonly #db: Queryable;
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(db: Queryable) {
    this.#db = db;
  }

  async add(growth: Growth): Promise<boolean> {
    const answer = new Promise<boolean>((told, failed) => this.#waiting.push({ growth, told, failed }));
    if (!this.#busy) void this.#flush();
    return await answer;
  }

  async #flush(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        const taken = await record(
          this.#db,
          group.map(({ growth }) => growth),
        );
        for (const { growth, told } of group) told(taken.has(keyOf(growth)));
      } catch (error) {
        for (const { failed } of group) failed(error);
      }
    }
    this.#busy = false;
  }
}

// A lost run's worker may still bring the tail it has: a truncated stream of a lost run takes bytes as an open one does.
async function record(db: Queryable, growths: Growth[]): Promise<Set<string>> {
  const column = <K extends keyof Growth>(name: K) => growths.map((growth) => growth[name]);
  const statement = {
    name: 'log-acknowledge',
    text: `update log_stream s set bytes = w.bytes, redacted = s.redacted + w.masked, updated_at = now()
           from unnest($1::text[], $2::int[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[]) as w(run, fence, stream, have, bytes, masked)
           join run r on r.id = w.run and r.fence = w.fence
           where s.run = w.run and s.stream = w.stream and s.bytes = w.have
             and (s.state = 'open' or (s.state = 'truncated' and r.state = 'lost'))
           returning s.run, s.stream`,
    values: [
      column('run'),
      column('fence'),
      column('stream'),
      column('have'),
      column('bytes'),
      column('masked'),
    ],
  };
  for (let attempt = 1; ; attempt++) {
    try {
      const { rows } = await db.query<{ run: string; stream: string }>(statement);
      return new Set(rows.map(keyOf));
    } catch (error) {
      if (attempt === 3 || sqlState(error) !== '40P01') throw error; // rows of many runs: a deadlock starts it again
    }
  }
}

function keyOf({ run, stream }: { run: string; stream: string }): string {
  return `${run}/${stream}`;
}
