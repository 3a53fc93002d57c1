// What GPUs of one's own cost while no call keeps them busy: shown apart in reports, charged to nobody.
// Used by reports; main.ts and the API take the engines from the configuration.
import type { UsageReport } from '../../protocol/budget.ts';
import type { Config } from '../config/schema.ts';
import type { Queryable } from '../db/connect.ts';

export interface GpuEngine {
  name: string;
  /** How many; null: those that were seen last. */
  gpus: number | null;
  pricePerHour: number;
  /** First day that they are paid for; that of the installation when left out. */
  since: string | undefined;
}

const HOUR_MS = 3_600_000;

/** The engines of the configuration that are paid by GPU time, and the GPUs of the appliance itself. */
export function gpuEngines({ engines, local }: Pick<Config['models'], 'engines' | 'local'>): GpuEngine[] {
  const upstreams = engines.flatMap((engine) => {
    if (engine.kind !== 'upstream' || engine.gpu === undefined) return [];
    const { count: gpus, pricePerHour, since } = engine.gpu;
    return [{ name: engine.name, gpus, pricePerHour, since }];
  });
  if (local === undefined) return upstreams;
  const { pricePerHour = 0, since } = local.gpu;
  return [...upstreams, { name: 'local', gpus: local.gpus?.length ?? null, pricePerHour, since }];
}

/** Busy and idle time of each engine in a period, as far as it is over; a day has 23 to 25 hours. */
export async function idleGpus(
  db: Queryable,
  engines: GpuEngine[],
  { from, to, timeZone }: { from: string; to: string; timeZone: string },
): Promise<UsageReport['idle']> {
  if (engines.length === 0) return [];
  const { rows } = await db.query<{ elapsed: number; busy: number; seen: number }>(
    `select greatest(0, extract(epoch from
          least(now(), ($3::date + 1)::timestamp at time zone $4)
          - greatest($2::date::timestamp at time zone $4, coalesce(since::timestamp at time zone $4, installed)))
          * 1000)::bigint as elapsed,
        (select coalesce(sum(gpu), 0)::bigint from usage_day where day between $2 and $3 and starts_with(model, name || '/')) as busy,
        (select count(*)::int from gpu) as seen
      from rows from (unnest($1::text[]), unnest($5::date[])) with ordinality as engine (name, since, place),
        (select min(applied_at) as installed from schema_migrations) installation
      order by place`,
    [engines.map(({ name }) => name), from, to, timeZone, engines.map(({ since }) => since ?? null)],
  );
  return engines.map(({ name, gpus: told, pricePerHour }, index) => {
    const { elapsed, busy, seen } = rows[index]!;
    const gpus = told ?? seen;
    const idle = Math.max(0, elapsed * gpus - busy);
    return { engine: name, gpus, busy, idle, money: Math.round((idle / HOUR_MS) * pricePerHour * 1e6) };
  });
}
