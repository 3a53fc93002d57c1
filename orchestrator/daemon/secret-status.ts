// What `status` says of tasks that wait until secrets can be read. Used by status.ts.
import type { PartHealth } from '../../protocol/status.ts';
import type { Queryable } from '../db/connect.ts';
import { secretsAway } from '../tasks/locked-secrets.ts';

/** Nothing while secrets can be read. */
export async function secretsHealth(db: Queryable): Promise<PartHealth[]> {
  const away = await secretsAway(db);
  if (away === null) return [];
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int from task where pending_reason = 'secrets'`,
  );
  const detail = `cannot be read: ${rows[0]!.count} tasks wait for some, others go on`;
  return [{ name: 'secrets', state: 'degraded', detail }];
}
