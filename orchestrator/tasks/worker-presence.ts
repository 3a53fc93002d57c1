// Who is there to do runs: a worker is seen when it polls and when one of its runs sends a heartbeat.
// Used by claim.ts, lease.ts and sweep.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Worker } from '../../protocol/worker.ts';
import type { RunNeeds } from '../config/placement-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { LEASED_STATES } from './run-state.ts';
import { usageOf } from './worker-fit.ts';

/** A worker not seen for this long is offline. */
const ABSENT_AFTER = '60 seconds';
/** Being seen is written down no more often than this. */
const SEEN_EVERY = '10 seconds';
/** Workers of one host claim one after the other, where what the host has is counted; the number is of no meaning. */
const HOST_LOCK = 7_403;

export interface LockedWorker {
  name: string;
  /** Whether it may take another run, as far as its capacity, cores and disk go and unless it is drained. */
  hasRoom: boolean;
  /** Memory that is not set aside; null: it does not say what it has. */
  freeMib: number | null;
  agents: string[];
  isolations: string[];
  /** The one project that it takes tasks of; null: any. */
  project: string | null;
  placement: string;
  labels: string[];
  /** Whether there are budgets of workers. */
  budgeted: boolean;
}

type LockedRow = Pick<
  Worker,
  'capacity' | 'agents' | 'isolations' | 'project' | 'placement' | 'labels' | 'draining'
> & { memoryMib: number | null; cores: number | null; diskMib: number | null; budgeted: boolean };

/** A worker under lock, so that its room is counted once; ERR_NOT_FOUND before it has registered. */
export async function lockWorker(tx: Queryable, worker: string, needs: RunNeeds): Promise<LockedWorker> {
  const locked = await tx.query<LockedRow>({
    name: 'lock-worker',
    text: `select capacity, agents, isolations, project, placement, labels, draining, memory_mib as "memoryMib", cores,
        disk_mib as "diskMib", exists (select from budget where scope = 'worker') as budgeted,
        case when memory_mib is not null then pg_advisory_xact_lock(${HOST_LOCK}, hashtext(host)) end
      from worker where name = $1 for no key update of worker`,
    values: [worker],
  });
  const found = locked.rows[0];
  if (found === undefined) {
    throw new AutocodeError('ERR_NOT_FOUND', `The worker ${worker} has not registered.`, {
      remedy: 'Register it first (PUT /api/v1/workers/{worker}); a worker does so when it starts.',
    });
  }
  await seeWorker(tx, worker);
  const { rows } = await tx.query<{ running: number; onHost: number; reservedMib: number }>({
    name: 'worker-running',
    text: `select had.* from worker w cross join lateral (${usageOf('$2')}) had where w.name = $1`,
    values: [worker, LEASED_STATES],
  });
  const { running, onHost, reservedMib } = rows[0]!;
  return {
    name: worker,
    project: found.project,
    placement: found.placement,
    labels: found.labels,
    budgeted: found.budgeted,
    hasRoom:
      running < found.capacity &&
      !found.draining &&
      (onHost + 1) * needs.cores <= (found.cores ?? Infinity) &&
      (found.diskMib ?? Infinity) >= needs.diskFreeMib,
    freeMib: found.memoryMib === null ? null : found.memoryMib - reservedMib,
    agents: found.agents.map((agent) => agent.name),
    isolations: found.isolations,
  };
}

/** Notes that a worker is there. */
export async function seeWorker(db: Queryable, worker: string): Promise<void> {
  const { rows } = await db.query<{ was: string }>({
    name: 'see-worker',
    text: `with old as (select name, state from worker where name = $1 and (state = 'offline' or last_seen < now() - interval '${SEEN_EVERY}'))
      update worker w set last_seen = now(), state = 'online' from old where w.name = old.name returning old.state as was`,
    values: [worker],
  });
  if (rows[0]?.was === 'offline') await emit(db, { kind: 'worker.online', data: { worker } });
}

/** Marks workers offline that were not seen for a while; answers how many. */
export async function markAbsentWorkers(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ name: string }>(
    `update worker set state = 'offline' where state = 'online' and last_seen < now() - interval '${ABSENT_AFTER}' returning name`,
  );
  for (const { name } of rows) await emit(db, { kind: 'worker.offline', data: { worker: name } });
  return rows.length;
}
