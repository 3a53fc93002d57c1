// Compares the records of ended runs with what they may still hold, and mends what differs. The ends themselves are made whole
// by ending.ts, in one transaction: a difference stands for a bug or for rows that somebody changed by hand.
// A chore of the scheduler, beside the sweep, which mends what time brings about.
import type { Queryable } from '../db/connect.ts';
import { LIVE_STATES } from './run-state.ts';

/** How many of each were mended. */
export interface ReconcileCounts {
  logs: number;
  tokens: number;
}

/** An ended run has no open log and no token without an end. */
export async function reconcile(db: Queryable): Promise<ReconcileCounts> {
  const logs = await db.query(
    `update log_stream s set state = 'truncated', updated_at = now() from run r
     where r.id = s.run and s.state = 'open' and not r.state = any($1)`,
    [LIVE_STATES],
  );
  const tokens = await db.query(
    `update token t set revoked_at = case when t.role = 'gateway' then now() end,
       expires_at = case when t.role = 'run' then now() + interval '10 minutes' end
     from run r where r.id = t.run and t.revoked_at is null and t.expires_at is null and not r.state = any($1)`,
    [LIVE_STATES],
  );
  return { logs: logs.rowCount ?? 0, tokens: tokens.rowCount ?? 0 };
}
