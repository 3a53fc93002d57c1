// What `status` says of the sources that work comes from, and of incidents. Used by status.ts.
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
  const incidents = await incidentsInWords(db);
  const state = troubles.length === 0 ? 'ok' : 'degraded';
  return [{ name: 'intake', state, detail: [sources, ...incidents, ...troubles].join('; ') }];
}

async function incidentsInWords(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ open: number; waiting: number }>(
    `select count(*)::int as open, count(needs_person)::int as waiting from incident where state <> 'resolved'`,
  );
  const { open, waiting } = rows[0]!;
  if (open === 0) return [];
  const need = waiting === 0 ? '' : `, ${waiting} ${waiting === 1 ? 'needs' : 'need'} a person`;
  return [`${open} ${open === 1 ? 'incident' : 'incidents'} not resolved${need}`];
}
