// Keeps the count of the service job between its limits, by how long tasks wait for room. A chore of the scheduler, where
// nomad.autoscale is configured; what it saw and did last is a row, which the status shows.
import type { AutoscaleSettings } from '../config/autoscale-settings.ts';
import type { RunNeeds } from '../config/placement-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { missingFunds } from '../tasks/funds.ts';
import { LEASED_STATES } from '../tasks/run-state.ts';
import { desiredCount, neededCount, type FleetHistory } from './desired-count.ts';
import { roomWaits } from './dispatches.ts';
import type { Fleet } from './fleet.ts';

export interface AutoscalerParts {
  db: Queryable;
  fleet: Fleet;
  settings: AutoscaleSettings;
  needs: RunNeeds;
  timeZone: string;
}

/** The longest waits are enough to judge by. */
const MOST_WAITS = 100;

/** Looks once, and changes the count if it is time to. */
export async function autoscaleOnce(parts: AutoscalerParts): Promise<void> {
  const { db, fleet, settings } = parts;
  const job = await fleet.nomad.job(fleet.settings.job);
  const group = job?.TaskGroups[0];
  if (group === undefined || job?.Stop === true) {
    const problem = `Nomad has no job ${fleet.settings.job}; \`autocode worker deploy\` makes it.`;
    return await noteLook(db, { count: 0, wanted: 0, reason: 'there is no job', problem, idle: false });
  }
  const count = group.Count ?? 0;
  const history = { ...(await historyOf(parts)), count };
  const { count: wanted, reason } = desiredCount(history, settings);
  const idle = history.waits.length === 0 && neededCount(history, settings.min) < count;
  if (wanted === count) return await noteLook(db, { count, wanted, reason, problem: null, idle });
  try {
    await fleet.nomad.scale(fleet.settings.job, group.Name, wanted, reason);
  } catch (error) {
    const problem = (error as Error).message;
    await noteLook(db, { count, wanted, reason, problem, idle });
    throw error;
  }
  await noteLook(db, { count: wanted, wanted, reason, problem: null, idle: false });
  await db.query('update autoscale set scaled_at = now()');
  await emit(db, {
    kind: 'fleet.scaled',
    data: { job: fleet.settings.job, from: count, to: wanted, reason },
  });
}

async function historyOf({ db, needs, timeZone }: AutoscalerParts): Promise<Omit<FleetHistory, 'count'>> {
  const { rows } = await db.query<{ running: number; runsPerWorker: number }>(
    `select (select count(*)::int from run r join worker on name = r.worker where placement = 'service' and r.state = any($1)) as running,
       coalesce(avg(capacity) filter (where state = 'online'), 1)::float8 as "runsPerWorker"
     from worker where placement = 'service'`,
    [LEASED_STATES],
  );
  const waits = [];
  for (const { seconds, ...task } of await roomWaits(db, needs, MOST_WAITS))
    if ((await missingFunds(db, task, timeZone)) === undefined) waits.push(seconds);
  return { ...rows[0]!, waits, ...(await lastLook(db)) };
}

async function lastLook(db: Queryable): Promise<Pick<FleetHistory, 'secondsSinceChange' | 'idleSeconds'>> {
  const { rows } = await db.query<{ since: number | null; idle: number | null }>(
    `select extract(epoch from now() - scaled_at)::float8 as since, extract(epoch from now() - idle_at)::float8 as idle
     from autoscale`,
  );
  return { secondsSinceChange: rows[0]?.since ?? Infinity, idleSeconds: rows[0]?.idle ?? 0 };
}

interface Look {
  count: number;
  wanted: number;
  reason: string;
  problem: string | null;
  /** Whether fewer workers would do now. */
  idle: boolean;
}

async function noteLook(db: Queryable, { count, wanted, reason, problem, idle }: Look): Promise<void> {
  await db.query(
    `insert into autoscale (count, wanted, reason, problem, idle_at) values ($1, $2, $3, $4, case when $5 then now() end)
     on conflict (one) do update set count = excluded.count, wanted = excluded.wanted, reason = excluded.reason,
       problem = excluded.problem, looked_at = now(), idle_at = case when $5 then coalesce(autoscale.idle_at, now()) end`,
    [count, wanted, reason, problem, idle],
  );
}
