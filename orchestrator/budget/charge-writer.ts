// One writer for all calls of a gateway: charges that come while a batch is being written make the next one, so that many calls
// cost one transaction. A call's charge is durable when its promise resolves. Used by the gateway.
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import { sqlState, transaction, type Database, type Queryable } from '../db/connect.ts';
import { writeCharges, type Books, type Charge } from './charge.ts';

export interface ChargeWriterOptions<Call extends Charge> {
  db: Database;
  books: Books;
  /** Inserts the records of the calls and answers with the ids of those that were not there before. */
  insert(tx: Queryable, calls: Call[]): Promise<Set<string>>;
  /** How long a database that is away is waited for, in milliseconds. */
  patienceMs?: number;
}

export interface ChargeWriter<Call extends Charge> {
  /** Resolves when it is durable; rejects with ERR_DATABASE when that could not be had. */
  write(call: Call): Promise<void>;
  /** Waits until all is written. */
  drained(): Promise<void>;
}

interface Waiting<Call> {
  call: Call;
  resolve(): void;
  reject(error: unknown): void;
}

const BATCH = 500;
/** From the beginning of one batch to the next: a call that comes alone is written at once, many share their batches. */
const APART_MS = 12;
const PATIENCE_MS = 10_000;
const PAUSE_MS = 100;
// The database is starting, stopping or not reachable; anything else would fail again.
const PASSING = /^(ECONN|ENOENT|EPIPE|57P0|08|$)/;

/** Starts with nothing to write. */
export function chargeWriter<Call extends Charge>(options: ChargeWriterOptions<Call>): ChargeWriter<Call> {
  const waiting: Waiting<Call>[] = [];
  let writing: Promise<void> | null = null;

  let lastBegan = -Infinity;
  const writeAll = async () => {
    while (waiting.length > 0) {
      const early = lastBegan + APART_MS - performance.now();
      if (early > 0 && waiting.length < BATCH) await delay(early);
      lastBegan = performance.now();
      const batch = waiting.splice(0, BATCH);
      try {
        await writeBatch(
          options,
          batch.map(({ call }) => call),
        );
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // One that cannot be written must not take the others with it.
        if (batch.length > 1 && !isPassing(error)) await oneByOne(options, batch);
        else for (const { reject } of batch) reject(unwritten(error));
      }
    }
    writing = null;
  };
  return {
    write: async (call) =>
      await new Promise((resolve, reject) => {
        waiting.push({ call, resolve, reject });
        writing ??= writeAll();
      }),
    drained: async () => await (writing ?? Promise.resolve()),
  };
}

async function oneByOne<Call extends Charge>(
  options: ChargeWriterOptions<Call>,
  batch: Waiting<Call>[],
): Promise<void> {
  for (const { call, resolve, reject } of batch) {
    await writeBatch(options, [call]).then(resolve, (error: unknown) => reject(unwritten(error)));
  }
}

async function writeBatch<Call extends Charge>(
  { db, books, insert, patienceMs = PATIENCE_MS }: ChargeWriterOptions<Call>,
  calls: Call[],
): Promise<void> {
  for (const deadline = performance.now() + patienceMs; ; await delay(PAUSE_MS)) {
    try {
      return await transaction(db, async (tx) => {
        const fresh = await insert(tx, calls);
        await writeCharges(
          tx,
          calls.filter(({ id }) => fresh.has(id)),
          books,
        );
      });
    } catch (error) {
      if (performance.now() > deadline || !isPassing(error)) throw error;
    }
  }
}

const isPassing = (error: unknown) => PASSING.test(sqlState(error));

function unwritten(cause: unknown): AutocodeError {
  return new AutocodeError('ERR_DATABASE', 'The call could not be recorded, so its answer is withheld.', {
    remedy: 'See `autocode status` for the state of the database, then send the request again.',
    cause,
  });
}
