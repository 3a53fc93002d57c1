// What `autocode status` says of the fleet: dispatched allocations, and why the count of workers is what it is. Used by status.ts.
import type { PartHealth } from '../../protocol/status.ts';
import type { Config } from '../config/schema.ts';
import type { Queryable } from '../db/connect.ts';

interface Row {
  open: number;
  problem: string | null;
  scale: { count: number; wanted: number; reason: string; problem: string | null } | null;
}

/** Nothing where no Nomad is configured. */
export async function fleetHealth(db: Queryable, { nomad, placement }: Config): Promise<PartHealth[]> {
  if (nomad === undefined) return [];
  const { rows } = await db.query<Row>(
    `select (select count(*)::int from nomad_dispatch where state <> 'ended') as open,
       (select problem from nomad_dispatch where state <> 'ended' and problem is not null order by asked_at limit 1) as problem,
       (select to_jsonb(a) from autoscale a) as scale`,
  );
  const { open, problem, scale } = rows[0]!;
  const parts: PartHealth[] = [];
  if (placement.dispatch !== undefined) {
    const detail = `${open} of at most ${placement.dispatch.max} allocations${problem === null ? '' : `; ${problem}`}`;
    parts.push({ name: 'dispatch', state: problem === null ? 'ok' : 'degraded', detail });
  }
  if (nomad.autoscale !== undefined && scale !== null) {
    const { min, max } = nomad.autoscale;
    const words = `${scale.count} workers of ${min} to ${max}: ${scale.reason}`;
    const detail =
      scale.problem === null ? words : `${words}; ${scale.wanted} are wanted, but ${scale.problem}`;
    parts.push({ name: 'autoscaling', state: scale.problem === null ? 'ok' : 'degraded', detail });
  }
  return parts;
}
