// Mends what nobody else will: leases that ran out, retries that are due, runs over their time, and whatever a crash or a
// bug left crooked. Used by the scheduler. Each mend is a small transaction of its own, re-checked under lock.
import type { Queryable } from '../db/connect.ts';
import { endRun, type RetryPolicy, type RunEnd } from './ending.ts';
import type { SchedulingSettings } from '../config/scheduling-settings.ts';
import { fundedTasks, takeUpAgain } from './funds.ts';
import { freeTasks, takeUpHeld } from './held.ts';
import { takeUpUnlocked, unlockedTasks } from './locked-secrets.ts';
import { arrangeQueue, headOf, lockProject, lockRun, lockTask, WAITS, type LockedRun } from './queue.ts';
import { noteQuiet, unsettledQuiet } from './quiet-hours.ts';
import { isLeased, isLive, LEASED_STATES, LIVE_STATES } from './run-state.ts';
import { noteRetry, retriesFull, retriesFullText, type HourlyRetries } from './retry-limits.ts';
import { moveTask } from './task-state.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { markAbsentWorkers } from './worker-presence.ts';

const BATCH = 200;
const CANCEL_PATIENCE = '60 seconds';

/** How many of each were mended. */
export interface SweepCounts {
  lost: number;
  overdue: number;
  cancelled: number;
  retried: number;
  released: number;
  promoted: number;
  funded: number;
  unlocked: number;
  held: number;
  quietHours: number;
  absentWorkers: number;
}

/** What the configuration says about retries. */
export type SweepPolicy = RetryPolicy & { retriesPerHour: HourlyRetries };

export interface SweepOptions {
  policy: SweepPolicy;
  /** False spares expired leases, while workers may not have reached us yet. */
  leases: boolean;
  scheduling: Pick<SchedulingSettings, 'limits' | 'quietHours'>;
  /** Where the days of budgets begin. */
  timeZone: string;
  /** One mend that fails does not keep the others from being made. */
  onError(error: unknown): void;
}

/** Mends everything once. */
export async function sweep(db: Queryable, options: SweepOptions): Promise<SweepCounts> {
  return {
    cancelled: await endRuns(db, options, UNANSWERED),
    overdue: await endRuns(db, options, OVERDUE),
    lost: options.leases ? await endRuns(db, options, EXPIRED) : 0,
    retried: await wakeDueRetries(db, options),
    released: await releaseDeadClaims(db, options),
    quietHours: await settleQuiet(db, options),
    promoted: await promoteMissingHeads(db, options),
    funded: await takeUpFunded(db, options),
    unlocked: await takeUpWithSecrets(db, options),
    held: await takeUpFree(db, options),
    absentWorkers: await markAbsentWorkers(db),
  };
}

/** Runs that have to end: how they are found, and their end if under lock it is still so. */
interface Ending {
  where: string;
  end(run: LockedRun): RunEnd | false;
}

const UNANSWERED: Ending = {
  where: `cancel_requested and exists (
    select from task t where t.id = run.task and t.updated_at < now() - interval '${CANCEL_PATIENCE}')`,
  end: (run) =>
    run.cancelRequested && { state: 'cancelled', reason: 'Cancelled; its runner did not answer.' },
};

const OVERDUE: Ending = {
  where: `deadline + interval '2 minutes' < now()`,
  end: (run) =>
    run.overdue && { state: 'out-of-time', cause: 'out-of-time', reason: 'It went on past its deadline.' },
};

const EXPIRED: Ending = {
  where: 'lease_until < now()',
  end: (run) =>
    run.leaseExpired && {
      state: 'lost',
      cause: 'lost',
      reason: `Worker ${run.worker} was not heard of in time.`,
    },
};

async function endRuns(db: Queryable, options: SweepOptions, { where, end }: Ending): Promise<number> {
  const found = await db.query<{ id: string }>(
    `select id from run where state = any($1) and ${where} limit ${BATCH}`,
    [LEASED_STATES],
  );
  return await mendEach(db, options, found.rows, async (tx, { id }) => {
    const run = await lockRun(tx, id);
    const ending = isLeased(run.state) && end(run);
    if (ending === false) return false;
    await endRun(tx, run, ending, options.policy);
    return true;
  });
}

async function wakeDueRetries(db: Queryable, options: SweepOptions): Promise<number> {
  const due = await db.query<{ id: number }>(
    `select id from task where state = 'pending' and pending_reason = 'retry' and not_before <= now() order by not_before limit ${BATCH}`,
  );
  return await mendEach(db, options, due.rows, async (tx, { id }) => {
    const task = await lockTask(tx, id);
    if (task.state !== 'pending' || task.pendingReason !== 'retry') return false;
    const full = await retriesFull(tx, task.project, options.policy.retriesPerHour);
    if (full !== null) {
      const reason = retriesFullText(full);
      const { waitSeconds: notBeforeSeconds } = full;
      await moveTask(tx, id, { state: 'pending', pendingReason: 'retry', notBeforeSeconds, reason });
      return false;
    }
    await noteRetry(tx, task);
    await moveTask(tx, id, { state: 'pending', pendingReason: 'repository', reason: WAITS });
    await arrangeQueue(tx, task.project);
    return true;
  });
}

async function releaseDeadClaims(db: Queryable, options: SweepOptions): Promise<number> {
  const dead = await db.query<{ run: string }>(
    `select c.run from repository_claim c join run r on r.id = c.run
     where c.released_at is null and not r.state = any($1) limit ${BATCH}`,
    [LIVE_STATES],
  );
  return await mendEach(db, options, dead.rows, async (tx, { run: id }) => {
    const run = await lockRun(tx, id);
    if (isLive(run.state)) return false;
    await tx.query('update repository_claim set released_at = now() where run = $1 and released_at is null', [
      id,
    ]);
    await arrangeQueue(tx, run.task.project);
    return true;
  });
}

// Tasks that go first at all of their repositories, which are free, and that are not queued.
async function promoteMissingHeads(db: Queryable, options: SweepOptions): Promise<number> {
  const stuck = await db.query<{ id: number }>(
    `select distinct r.project as id from repository r
     join project p on p.id = r.project
     join lateral ${headOf('r.id', 'p.quiet')} head on true
     join task t on t.id = head.task and t.state = 'pending'
     where not exists (select from task_repository own where own.task = t.id and (
       exists (select from repository_claim c where c.repository = own.repository and c.released_at is null)
       or own.task <> ${headOf('own.repository', 'p.quiet')})) limit ${BATCH}`,
  );
  return await mendEach(db, options, stuck.rows, async (tx, { id }) => {
    await lockProject(tx, id);
    await arrangeQueue(tx, id);
    return true;
  });
}

async function takeUpFunded(db: Queryable, options: SweepOptions): Promise<number> {
  const funded = await fundedTasks(db, options.timeZone);
  return await mendEach(db, options, funded, async (tx, { id }) => await takeUpAgain(tx, id));
}

async function takeUpWithSecrets(db: Queryable, options: SweepOptions): Promise<number> {
  const unlocked = await unlockedTasks(db);
  return await mendEach(db, options, unlocked, async (tx, { id }) => await takeUpUnlocked(tx, id));
}

async function takeUpFree(db: Queryable, options: SweepOptions): Promise<number> {
  const free = await freeTasks(db, options.scheduling.limits);
  return await mendEach(db, options, free, async (tx, { id }) => await takeUpHeld(tx, id));
}

async function settleQuiet(db: Queryable, options: SweepOptions): Promise<number> {
  const changed = await unsettledQuiet(db, options.scheduling.quietHours);
  return await mendEach(db, options, changed, async (tx, project) => {
    await noteQuiet(tx, project);
    return true;
  });
}

async function mendEach<T>(
  db: Queryable,
  { onError }: SweepOptions,
  found: T[],
  mend: (tx: Queryable, one: T) => Promise<boolean>,
): Promise<number> {
  let mended = 0;
  for (const one of found) {
    try {
      if (await withinTransaction(db, (tx) => mend(tx, one))) mended++;
    } catch (error) {
      onError(error);
    }
  }
  return mended;
}
