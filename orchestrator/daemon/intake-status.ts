// What `status` says of the sources that work comes from. Used by status.ts.
import type { PartHealth } from '../../protocol/status.ts';
import type { Queryable } from '../db/connect.ts';

/** Nothing where there is no source. */
export async function intakeHealth(db: Queryable): Promise<PartHealth[]> {
  const { rows } = await db.query<{ name: string; trouble: string | null; paused: boolean }>(
    'select name, trouble, paused_at is not null as paused from intake_source order by name',
  );
  if (rows.length === 0) return [];
  const paused = rows.filter((source) => source.paused).length;
  const troubles = rows.flatMap(({ name, trouble, paused: is }) =>
    trouble === null || is ? [] : [`${name}: ${trouble}`],
  );
  const sources = `${rows.length} ${rows.length === 1 ? 'source' : 'sources'}${paused === 0 ? '' : `, ${paused} paused`}`;
  const state = troubles.length === 0 ? 'ok' : 'degraded';
  return [{ name: 'intake', state, detail: [sources, ...troubles].join('; ') }];
}
