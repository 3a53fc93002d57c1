// A worker takes a run: one transaction picks a task, takes the worker's room and the repositories, and leases the run.
// Used by the API's long poll. No two claims ever get one task or one repository, whatever crashes in between.
import { AutocodeError } from '../../protocol/errors.ts';
import { runId } from '../../protocol/ids.ts';
import { LOG_STREAMS } from '../../protocol/log.ts';
import type { QuietHours, TaskClass } from '../../protocol/order-of-work.ts';
import type { RunState } from '../../protocol/run.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import type { RunNeeds } from '../config/placement-settings.ts';
import type { SchedulingSettings } from '../config/scheduling-settings.ts';
import type { Books } from '../budget/charge.ts';
import { usedUp } from '../budget/limits.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { awaitChange, earlierChange } from './after-change.ts';
import { holdDrain } from './drain.ts';
import { awaitFunds, missingFunds, type Spender } from './funds.ts';
import { awaitSecrets, lockedSecrets, type EngineKeys } from './locked-secrets.ts';
import { arrangeQueue, wakeClaimers } from './queue.ts';
import { noteQuiet, quietClasses } from './quiet-hours.ts';
import { awaitLimit, holdLimits, limitsOf, reachedLimit } from './run-limits.ts';
import { isLeased } from './run-state.ts';
import { classesInTurn, noteTurn } from './shares.ts';
import { moveTask } from './task-state.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { workOrder, type ClaimSettings as OrderSettings } from './work-order.ts';
import { fitOf, memoryNeed } from './worker-fit.ts';
import { lockWorker, type LockedWorker } from './worker-presence.ts';

/** What the configuration and other parts contribute to a claim. */
export interface ClaimSettings extends OrderSettings {
  books: Books;
  needs: RunNeeds;
  engineKeys?: EngineKeys;
  scheduling: SchedulingSettings;
}

/** Who polls, and the id under which it asks again for the same run. */
export interface Claim {
  worker: string;
  claimId: string;
}

interface PickedTask extends Spender {
  project: number;
  model: string;
  limits: { deadlineMinutes?: number };
  isolation: string;
  memoryMib: number;
  /** Whether there are budgets at all. */
  budgeted: boolean;
  class: TaskClass;
  sourceName: string;
  account: string | null;
  /** Of its project; null: as configured. */
  maxRuns: number | null;
  quietHours: QuietHours[] | null;
  waitsForChanges: boolean;
  now: Date;
  /** Whether tasks of other classes wait, too. */
  contested: boolean;
  /** Why no secret can be read, when that is so. */
  secretsAway: string | null;
}

/** A claim passes over no more tasks than this; it wakes claimers for the others. */
const LOOKS = 100;

/** The next run for the worker, or the one that it got under this claim id before; null when there is none to have. */
export async function claimRun(
  db: Queryable,
  claim: Claim,
  settings: ClaimSettings,
): Promise<WorkOrder | null> {
  for (let looks = 0; looks < LOOKS; looks++) {
    const order = await withinTransaction(db, async (tx) => await claimOnce(tx, claim, settings));
    if (order !== 'passed over') return order;
  }
  await wakeClaimers(db);
  return null;
}

// A task that is passed over is a transaction of its own: no claim has two projects locked.
async function claimOnce(
  tx: Queryable,
  claim: Claim,
  settings: ClaimSettings,
): Promise<WorkOrder | null | 'passed over'> {
  const worker = await lockWorker(tx, claim.worker, settings.needs);
  const earlier = await runOfClaim(tx, claim);
  if (earlier !== null) return await workOrder(tx, earlier, settings);
  if (!worker.hasRoom || (await isBroke(tx, worker, settings))) return null;
  if ((await holdDrain(tx)) !== 'off') return null;
  const task = await pickTask(tx, worker, settings.needs);
  if (task === null) return null;
  if (await mustWait(tx, task, settings)) return 'passed over';
  const order = await workOrder(tx, await leaseRun(tx, claim, task, settings), settings);
  if (task.contested) await noteTurn(tx, task.class, settings.scheduling.shares); // last: others wait for it until the commit
  return order;
}

async function runOfClaim(tx: Queryable, { worker, claimId }: Claim): Promise<string | null> {
  const { rows } = await tx.query<{ id: string; state: RunState; worker: string }>({
    name: 'run-of-claim',
    text: 'select id, state, worker from run where claim_id = $1',
    values: [claimId],
  });
  const run = rows[0];
  if (run === undefined) return null;
  if (run.worker === worker && isLeased(run.state)) return run.id;
  throw new AutocodeError(
    'ERR_STATE',
    `The claim ${claimId} got run ${run.id}, which is ${run.state} on worker ${run.worker}.`,
    {
      remedy: 'Claim with a new id.',
      details: { run: run.id, state: run.state },
    },
  );
}

/** Whether the worker's own budget leaves nothing; its tasks are for others then. */
async function isBroke(tx: Queryable, worker: LockedWorker, { books }: ClaimSettings): Promise<boolean> {
  if (!worker.budgeted) return false;
  return (await usedUp(tx, [{ scope: 'worker', subject: worker.name }], books.timeZone)).length > 0;
}

const FIT = Object.values(
  fitOf({
    agents: '$1',
    isolations: '$2',
    project: '$3::text',
    placement: '$4::text',
    labels: '$5::text[]',
  }),
).join(' and ');
const NEED = memoryNeed('$6::jsonb');

/** The next task for the worker: the first one of the class whose turn it is and that has one for it. */
async function pickTask(tx: Queryable, worker: LockedWorker, needs: RunNeeds): Promise<PickedTask | null> {
  const classes = await classesInTurn(tx);
  for (const one of classes) {
    const task = await pickTaskOf(tx, one, worker, needs);
    if (task !== undefined) return { ...task, contested: classes.length > 1 };
  }
  return null;
}

/** The first queued task of a class that nobody else has in hand, locked together with its project. */
async function pickTaskOf(
  tx: Queryable,
  one: TaskClass,
  { agents, isolations, project, placement, labels, freeMib }: LockedWorker,
  needs: RunNeeds,
): Promise<Omit<PickedTask, 'contested'> | undefined> {
  const { rows } = await tx.query<Omit<PickedTask, 'contested'>>({
    name: 'pick-task',
    text: `select t.id, t.project, t.attempt, t.agent, t.model, p.limits || t.limits as limits, p.isolation, ${NEED} as "memoryMib",
        p.name as "projectName", t.created_by as "createdBy", exists (select from budget) as budgeted,
        (select away from secret_store) as "secretsAway", t.class, t.source_name as "sourceName", t.account, p.max_runs as "maxRuns",
        p.quiet_hours as "quietHours", p.after_change = 'wait' as "waitsForChanges", now() as now
      from task t join project p on p.id = t.project
      where t.state = 'queued' and t.class = $8 and t.class <> all(p.quiet) and ${FIT} and ($7::int is null or ${NEED} <= $7)
      order by t.order_key, t.id limit 1
      for no key update of p, t skip locked`,
    values: [agents, isolations, project, placement, labels, JSON.stringify(needs.memoryMib), freeMib, one],
  });
  return rows[0];
}

/** Puts a task off that cannot begin; what it waits for then is in its row. */
async function mustWait(
  tx: Queryable,
  task: PickedTask,
  { books, engineKeys, scheduling }: ClaimSettings,
): Promise<boolean> {
  if (await isQuiet(tx, task, scheduling)) return true;
  const { rowCount } = await tx.query({
    name: 'repository-claimed',
    text: `select from repository_claim c join task_repository r on r.repository = c.repository
      where r.task = $1 and c.released_at is null`,
    values: [task.id],
  });
  if (rowCount !== 0) {
    await arrangeQueue(tx, task.project);
    return true;
  }
  const change = task.waitsForChanges ? await earlierChange(tx, task.id) : undefined;
  if (change !== undefined) {
    await awaitChange(tx, task, change);
    return true;
  }
  const limits = limitsOf(task, scheduling.limits);
  await holdLimits(tx, limits);
  const limit = await reachedLimit(tx, limits);
  if (limit !== undefined) {
    await awaitLimit(tx, task, limit);
    return true;
  }
  const locked = task.secretsAway === null ? undefined : await lockedSecrets(tx, task, engineKeys);
  if (locked !== undefined) {
    await awaitSecrets(tx, task, `${locked} ${task.secretsAway}`);
    return true;
  }
  const budget = task.budgeted ? await missingFunds(tx, task, books.timeZone) : undefined;
  if (budget !== undefined) await awaitFunds(tx, task, budget, books);
  return budget !== undefined;
}

// Between two sweeps quiet hours may have begun; from then on the project's row says so.
async function isQuiet(
  tx: Queryable,
  task: PickedTask,
  { quietHours }: SchedulingSettings,
): Promise<boolean> {
  const quiet = quietClasses(task.now, task.quietHours ?? quietHours);
  if (!quiet.includes(task.class)) return false;
  await noteQuiet(tx, { id: task.project, quiet });
  return true;
}

// Says so to the other claimers when more of the project is queued: the lock has hidden it from them.
async function leaseRun(
  tx: Queryable,
  claim: Claim,
  task: PickedTask,
  { limits, lease }: ClaimSettings,
): Promise<string> {
  const fence = task.attempt + 1;
  const run = runId(task.id, fence);
  await moveTask(tx, task.id, { state: 'running', attempt: fence });
  await tx.query({
    name: 'insert-run',
    text: `with leased as (insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, memory_mib, lease_until, deadline)
        values ($1, $2, $3, 'leased', $4, $5, $6, $7, $10, $13, now() + make_interval(secs => $8), now() + make_interval(secs => $9))),
      claimed as (insert into repository_claim (repository, run)
        select repository, $1 from task_repository where task = $2 order by repository),
      streams as (insert into log_stream (run, stream) select $1, unnest($12::text[]))
      select pg_notify('queue', '') where exists (select from task where project = $11 and state = 'queued')`,
    values: [
      run,
      task.id,
      fence,
      claim.worker,
      claim.claimId,
      task.agent,
      task.model,
      lease.leaseSeconds,
      (task.limits.deadlineMinutes ?? limits.runDeadlineMinutes) * 60,
      task.isolation,
      task.project,
      LOG_STREAMS,
      task.memoryMib,
    ],
  });
  const data = { worker: claim.worker, agent: task.agent, model: task.model };
  await emit(tx, { kind: 'run.created', project: task.project, task: task.id, run, data });
  return run;
}
