// Tells a process that a drain lets it end. Used by main.ts in every process of the daemon, whatever its role.
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../db/connect.ts';

const LOOK_MS = 1_000;

/** Resolves when the processes that are there now may end, or at `stopping`. */
export async function untilLeave(db: Database, stopping: AbortSignal): Promise<void> {
  let begun: string | undefined;
  while (!stopping.aborted) {
    try {
      begun ??= (await db.query<{ at: string }>('select now()::text as at')).rows[0]!.at;
      const { rowCount } = await db.query('select from drain where leave_at > $1::timestamptz', [begun]);
      if (rowCount !== 0) return;
    } catch {
      // A database that is away says nothing.
    }
    await delay(LOOK_MS, undefined, { signal: stopping }).catch(() => {});
  }
}
