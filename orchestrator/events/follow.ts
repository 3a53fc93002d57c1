// Follows the outbox. One reader a process reads on and hands each event to all who follow; a follower first catches up
// from the table by itself, and does so again when it was too slow for the shared reader.
import { setTimeout as delay } from 'node:timers/promises';
import type { Event } from '../../protocol/event.ts';
import { onNotify } from '../db/notifications.ts';
import type { Database } from '../db/connect.ts';
import { compareCursors } from './cursor.ts';
import { latestCursor, matches, readEvents, type EventFilter } from './read.ts';

const PAGE = 500;
const MAX_QUEUED = 2_000;
const BACKSTOP_MS = 1_000;
// A notification can be ahead of what may be read, while an older transaction is open: look again soon, then less often.
const FIRST_LOOK_MS = 20;
/** While much happens it is handed out together, some times a second: what a follower costs is then the same however much it is. */
const PACE_MS = 200;

/** Every event after the cursor that passes the filter, once and in order, until the signal; those that came together at once. */
export async function* followEvents(
  db: Database,
  { after, filter = {}, signal }: { after: string | null; filter?: EventFilter; signal: AbortSignal },
): AsyncGenerator<readonly Event[], void, void> {
  let last = after;
  while (!signal.aborted) {
    // Attached first: what the shared reader has passed by then is in the table for the reads below.
    const subscription = await readerOf(db).attach(filter, signal);
    try {
      for (let full = true; full && !signal.aborted;) {
        const page = await readEvents(db, { after: last, limit: PAGE, filter });
        last = page.at(-1)?.id ?? last;
        if (page.length > 0) yield page;
        full = page.length === PAGE;
      }
      let caughtUp = last === null;
      for await (const came of subscription.events()) {
        // What was in the table already comes first.
        const from = caughtUp ? 0 : came.findIndex(({ id }) => compareCursors(id, last!) > 0);
        if (from === -1) continue;
        caughtUp = true;
        last = came.at(-1)!.id;
        yield from === 0 ? came : came.slice(from);
      }
    } finally {
      subscription.detach();
    }
  }
}

const readers = new WeakMap<Database, SharedReader>();

function readerOf(db: Database): SharedReader {
  const reader = readers.get(db) ?? new SharedReader(db);
  readers.set(db, reader);
  return reader;
}

/** Reads the outbox from the time of its first follower, for as long as it has one. */
class SharedReader {
  readonly #db: Database;
  readonly #subscriptions = new Set<Subscription>();
  #started: Promise<void> | undefined;
  #wake = () => {};

  constructor(db: Database) {
    this.#db = db;
  }

  async attach(filter: EventFilter, signal: AbortSignal): Promise<Subscription> {
    const subscription = new Subscription(filter, signal, () => this.#detach(subscription));
    this.#subscriptions.add(subscription);
    try {
      await (this.#started ??= this.#start());
    } catch (error) {
      this.#started = undefined;
      subscription.detach();
      throw error;
    }
    return subscription;
  }

  #detach(subscription: Subscription): void {
    this.#subscriptions.delete(subscription);
    if (this.#subscriptions.size === 0) this.#wake();
  }

  async #start(): Promise<void> {
    const forget = await onNotify(this.#db, 'event', () => this.#wake());
    try {
      void this.#read(await latestCursor(this.#db), forget);
    } catch (error) {
      forget();
      throw error;
    }
  }

  async #read(from: string, forget: () => void): Promise<void> {
    let position = from;
    let pause = BACKSTOP_MS;
    while (this.#subscriptions.size > 0) {
      let timer: NodeJS.Timeout | undefined;
      const woken = new Promise<boolean>((resolve) => {
        this.#wake = () => resolve(true);
        timer = setTimeout(resolve, pause, false);
      });
      // A database that is away is asked again; a follower that catches up meanwhile gets the error itself.
      const began = performance.now();
      const page = await readEvents(this.#db, { after: position, limit: PAGE }).catch(() => []);
      if (page.length > 0) for (const each of this.#subscriptions) each.push(page);
      position = page.at(-1)?.id ?? position;
      if (page.length < PAGE) {
        pause = (await woken) ? FIRST_LOOK_MS : Math.min(pause * 2, BACKSTOP_MS);
        if (page.length > 0) await delay(began + PACE_MS - performance.now());
      }
      clearTimeout(timer);
    }
    this.#started = undefined;
    forget();
  }
}

/** What the shared reader has for one follower. It ends at the signal, and when the follower is too far behind. */
class Subscription {
  readonly #filter: EventFilter;
  readonly #signal: AbortSignal;
  readonly #detached: () => void;
  #queue: Event[] = [];
  #overflowed = false;
  #wake = () => {};

  constructor(filter: EventFilter, signal: AbortSignal, detached: () => void) {
    this.#filter = filter;
    this.#signal = signal;
    this.#detached = detached;
    signal.addEventListener('abort', this.#onAbort);
  }

  #onAbort = () => this.#wake();

  push(page: readonly Event[]): void {
    if (this.#overflowed) return;
    const wanted = page.filter((event) => matches(event, this.#filter));
    if (wanted.length === 0) return;
    this.#overflowed = this.#queue.length + wanted.length > MAX_QUEUED;
    if (!this.#overflowed) this.#queue.push(...wanted);
    this.#wake();
  }

  async *events(): AsyncGenerator<readonly Event[], void, void> {
    while (!this.#signal.aborted) {
      const ready = this.#queue;
      this.#queue = [];
      if (ready.length > 0) yield ready;
      if (this.#signal.aborted) return;
      if (this.#queue.length > 0) continue;
      if (this.#overflowed) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (this.#signal.aborted) resolve();
      });
    }
  }

  detach(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#detached();
  }
}
