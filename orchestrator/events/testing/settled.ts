// For tests that read events right after writing them: another test's transaction, in another database of the same
// server, delays readers as well.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Event } from '../../../protocol/event.ts';
import type { Queryable } from '../../db/connect.ts';
import { readEvents, type EventFilter } from '../read.ts';

/** All events, as soon as everything that is committed may be read. */
export async function settledEvents(db: Queryable, filter: EventFilter = {}): Promise<Event[]> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; await delay(5)) {
    const { rows } = await db.query<{ settled: boolean }>(
      `select not exists (select from event where xid >= pg_snapshot_xmin(pg_current_snapshot())) as settled`,
    );
    if (rows[0]!.settled) return await readEvents(db, { after: null, limit: 10_000, filter });
  }
  assert.fail('events could not be read within 10 s: a transaction stays open');
}
