import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { testDatabase } from '../../test/support/database.ts';
import type { Event } from '../../protocol/event.ts';
import { transaction, type Database } from '../db/connect.ts';
import { stopListening } from '../db/notifications.ts';
import { followEvents } from './follow.ts';
import { emit } from './outbox.ts';
import type { EventFilter } from './read.ts';

/** Follows until `count` events came (or the test's own time limit), and ends the following cleanly. */
async function collect(
  db: Database,
  count: number,
  more: { after?: string; filter?: EventFilter; slowly?: boolean } = {},
): Promise<Event[]> {
  const stop = new AbortController();
  const seen: Event[] = [];
  for await (const came of followEvents(db, {
    after: more.after ?? null,
    filter: more.filter ?? {},
    signal: stop.signal,
  })) {
    seen.push(...came);
    if (more.slowly) await delay(30);
    if (seen.length >= count) stop.abort();
  }
  return seen;
}

test(
  'many transactions of random length: every reader gets each event once, in order, none missing',
  { timeout: 60_000 },
  async () => {
    await using db = await testDatabase({ poolSize: 20 });
    const writers = 12;
    const each = 40;
    const readers = [0, 1, 2].map(() => collect(db.pool, writers * each));
    const write = async (writer: number) => {
      for (let n = 0; n < each; n += 2) {
        await transaction(db.pool, async (tx) => {
          await emit(tx, { kind: 'task.created', data: { writer, n } });
          await tx.query('select pg_sleep(random() * 0.01)'); // ends in another order than it began
          await emit(tx, { kind: 'task.created', data: { writer, n: n + 1 } });
        });
      }
    };
    await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
    const [first, ...others] = await Promise.all(readers);
    assert.equal(new Set(first!.map((event) => event.id)).size, writers * each);
    for (let writer = 0; writer < writers; writer++) {
      const own = first!.filter((event) => event.data.writer === writer).map((event) => event.data.n);
      assert.deepEqual(
        own,
        Array.from({ length: each }, (_, n) => n),
      );
    }
    for (const other of others)
      assert.deepEqual(
        other.map((event) => event.id),
        first!.map((event) => event.id),
      );
    const resumed = await collect(db.pool, 100, { after: first!.at(-101)!.id });
    assert.deepEqual(resumed, first!.slice(-100));
    await stopListening(db.pool);
  },
);

test(
  'a follower that is too slow for the shared reader catches up from the table',
  { timeout: 60_000 },
  async () => {
    await using db = await testDatabase();
    await emit(db.pool, { kind: 'task.created', data: { n: 0 } });
    const slow = collect(db.pool, 6001, { slowly: true });
    for (let batch = 0; batch < 6; batch++) {
      await db.pool.query(
        `insert into event (kind, data) select 'task.created', jsonb_build_object('n', $1::int + n) from generate_series(1, 1000) n`,
        [batch * 1000],
      );
      await db.pool.query(`select pg_notify('event', '')`);
    }
    assert.deepEqual(
      (await slow).map((event) => event.data.n),
      Array.from({ length: 6001 }, (_, n) => n),
    );
    await stopListening(db.pool);
  },
);

test('a filter holds for what is caught up and for what comes', { timeout: 30_000 }, async () => {
  await using db = await testDatabase();
  const write = async (task: number) => await emit(db.pool, { kind: 'task.created', task });
  await write(1);
  await write(2);
  const follower = collect(db.pool, 3, { filter: { task: 2 } });
  for (const task of [1, 2, 1, 2]) await write(task);
  assert.deepEqual(
    (await follower).map((event) => event.task),
    [2, 2, 2],
  );
  await stopListening(db.pool);
});

test(
  'following ends at the signal, also while nothing happens, and goes on after a lost connection',
  { timeout: 30_000 },
  async () => {
    await using db = await testDatabase();
    const stop = new AbortController();
    const got = new EventTarget();
    const seen: unknown[] = [];
    const follower = (async () => {
      for await (const came of followEvents(db.pool, { after: null, signal: stop.signal })) {
        seen.push(...came.map(({ data }) => data.n));
        got.dispatchEvent(new globalThis.Event('event'));
      }
    })();
    const arrived = async (n: number) => {
      const next = once(got, 'event');
      await emit(db.pool, { kind: 'task.created', data: { n } });
      await next;
    };
    await arrived(1);
    await db.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await arrived(2);
    stop.abort();
    await follower;
    assert.deepEqual(seen, [1, 2]);
    await stopListening(db.pool);
  },
);
