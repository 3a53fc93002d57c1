// What sign-in and the audit log need not keep for ever: one pass, a part of the daily pruning.
import type { Queryable } from '../db/connect.ts';
import { forgetAttempts } from './attempts.ts';

/** Removes old records and what is over: sessions, links, attempts. How many rows. */
export async function forgetPeople(
  db: Queryable,
  { auditDays, sessionsDays }: { auditDays: number; sessionsDays: number },
): Promise<number> {
  let removed = await forgetAttempts(db);
  for (const [statement, ...values] of [
    [`delete from audit_record where at < now() - make_interval(secs => $1::float8 * 86400)`, auditDays],
    [
      `delete from session where coalesce(ended_at, expires_at) < now() - make_interval(secs => $1::float8 * 86400)`,
      sessionsDays,
    ],
    ['delete from person_link where expires_at < now()'],
    ['delete from oidc_attempt where expires_at < now()'],
  ] as [string, ...number[]][]) {
    const { rowCount } = await db.query(statement, values);
    removed += rowCount ?? 0;
  }
  return removed;
}
