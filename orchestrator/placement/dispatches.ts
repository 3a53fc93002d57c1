// Rows of dispatched allocations: which are open, which tasks want one, and each step of a dispatch. Used by dispatcher.ts and
// reconcile.ts.
import type { RunNeeds } from '../config/placement-settings.ts';
import type { Queryable } from '../db/connect.ts';
import type { Spender } from '../tasks/funds.ts';
import { LEASED_STATES } from '../tasks/run-state.ts';
import { fitOf, IS_SPENT, memoryNeed, usageOf } from '../tasks/worker-fit.ts';

/** After the first allocation that ended without taking a run; each further one waits twice as long. */
const BACKOFF_SECONDS = 5;
const LONGEST_BACKOFF_SECONDS = 600;

export interface Dispatch {
  token: string;
  task: number;
  attempt: number;
  state: 'asked' | 'dispatched' | 'ended';
  job: string | null;
  evaluation: string | null;
  problem: string | null;
  /** Whether its task waits in the queue for this attempt. */
  wanted: boolean;
}

/** Those that have not ended, the first ones first. */
export async function openDispatches(db: Queryable): Promise<Dispatch[]> {
  const { rows } = await db.query<Dispatch>(
    `select d.token, d.task, d.attempt, d.state, d.job, d.evaluation, d.problem,
       t.state = 'queued' and t.attempt + 1 = d.attempt as wanted
     from nomad_dispatch d join task t on t.id = d.task where d.state <> 'ended' order by d.asked_at, d.token`,
  );
  return rows;
}

export type WantedDispatch = Spender & { project: number };

const COLUMNS = fitOf({
  agents: `array(select each ->> 'name' from jsonb_array_elements(w.agents) each)`,
  isolations: 'array(select jsonb_array_elements_text(w.isolations))',
  project: 'w.project',
  placement: 'w.placement',
  labels: 'w.labels',
});
const FIT = Object.values(COLUMNS).join(' and ');

/** Online workers that take runs, with what is left of them; needs $1 (leased states), $2 (cores), $3 (disk). */
const ROOM = `room as materialized (
  select w.*, w.memory_mib - had."reservedMib" as free_mib from worker w cross join lateral (${usageOf('$1')}) had
  where w.state = 'online' and not w.draining and not ${IS_SPENT} and had.running < w.capacity
    and (w.cores is null or (had."onHost" + 1) * $2::float8 <= w.cores) and (w.disk_mib is null or w.disk_mib >= $3))`;

/** Holds for a queued task that no worker could take now; needs $4 (memory by agent). */
const NO_ROOM = `not exists (select from room w where ${FIT}
  and (w.free_mib is null or ${memoryNeed('$4::jsonb')} <= w.free_mib))`;

const roomValues = ({ cores, diskFreeMib, memoryMib }: RunNeeds) => [
  LEASED_STATES,
  cores,
  diskFreeMib,
  JSON.stringify(memoryMib),
];

/** Queued tasks that want an allocation of their own: their project asks for it, or takes any worker and all are full. */
export async function wantedDispatches(
  db: Queryable,
  needs: RunNeeds,
  limit: number,
): Promise<WantedDispatch[]> {
  const { rows } = await db.query<WantedDispatch>(
    `with ${ROOM}
     select t.id, t.project, t.attempt, t.agent, p.name as "projectName", t.created_by as "createdBy"
     from task t join project p on p.id = t.project
       cross join lateral (select count(*)::int as tries, max(ended_at) as ended_at, bool_or(d.state <> 'ended') as open
         from nomad_dispatch d where d.task = t.id and d.attempt = t.attempt + 1) before
     where t.state = 'queued' and p.placement in ('dispatch', 'any') and before.open is not true
       and (before.tries = 0 or before.ended_at + make_interval(secs =>
         least($5::float8, $6 * 2 ^ least(before.tries - 1, 20))) <= now()) and ${NO_ROOM}
     order by t.order_key, t.id limit $7`,
    [...roomValues(needs), LONGEST_BACKOFF_SECONDS, BACKOFF_SECONDS, limit],
  );
  return rows;
}

/** How long tasks have been in the queue that a worker of the service job could take if it had room, the longest first. */
export async function roomWaits(
  db: Queryable,
  needs: RunNeeds,
  limit: number,
): Promise<(Spender & { seconds: number })[]> {
  const { rows } = await db.query<Spender & { seconds: number }>(
    `with ${ROOM}
     select t.id, t.attempt, t.agent, p.name as "projectName", t.created_by as "createdBy",
       extract(epoch from now() - t.updated_at)::float8 as seconds
     from task t join project p on p.id = t.project
     where t.state = 'queued' and p.placement in ('service', 'any') and ${NO_ROOM}
       and (exists (select from worker w where w.placement = 'service' and w.state = 'online' and ${FIT})
         or not exists (select from worker w where w.placement = 'service' and w.state = 'online'))
     order by t.updated_at limit $5`,
    [...roomValues(needs), limit],
  );
  return rows;
}

/** Written before Nomad is asked; undefined when the task is not queued any more, or somebody else dispatches for it. */
export async function noteAsked(db: Queryable, { id, attempt }: WantedDispatch): Promise<string | undefined> {
  const { rows } = await db.query<{ token: string }>(
    `insert into nomad_dispatch (token, task, attempt)
     select i.id || '-' || t.id || '-' || t.attempt + 1 || '-' || 1 + (select count(*) from nomad_dispatch
       where task = t.id and attempt = t.attempt + 1), t.id, t.attempt + 1
     from task t cross join installation i where t.id = $1 and t.state = 'queued' and t.attempt = $2
     on conflict do nothing returning token`,
    [id, attempt],
  );
  return rows[0]?.token;
}

/** Nomad has made the allocation's job. */
export async function noteDispatched(
  db: Queryable,
  token: string,
  { dispatchedJobId, evalId }: { dispatchedJobId: string; evalId: string },
): Promise<void> {
  await db.query(
    `update nomad_dispatch set state = 'dispatched', job = $2, evaluation = $3, problem = null, dispatched_at = now()
     where token = $1 and state = 'asked'`,
    [token, dispatchedJobId, evalId],
  );
}

/** Why there is no allocation yet; null when nothing is wrong. */
export async function noteProblem(db: Queryable, token: string, problem: string | null): Promise<void> {
  await db.query('update nomad_dispatch set problem = $2 where token = $1 and problem is distinct from $2', [
    token,
    problem,
  ]);
}

/** It is over; a task that is still queued gets another one. */
export async function endDispatch(db: Queryable, token: string, problem: string | null): Promise<void> {
  await db.query(
    `update nomad_dispatch set state = 'ended', ended_at = now(), problem = $2 where token = $1 and state <> 'ended'`,
    [token, problem],
  );
}
