// The order of work in a project: one run at a time in a repository. A task is queued when its turn has come at all of its
// repositories: none has a run, and no task that waits there goes before it; in quiet hours, of those that may begin. The others wait as pending(repository); since
// none overtakes another at a repository, each gets its turn. Whatever changes that order locks the project, makes its
// change and calls `arrangeQueue`. Locks are always taken in the order project → task → run, so that nothing deadlocks.
import { TASK_CLASSES } from '../../protocol/order-of-work.ts';
import type { RunCause, RunState } from '../../protocol/run.ts';
import type { TaskState } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { runNotFound } from './run-state.ts';
import { moveTask, taskNotFound, type RetryCounts } from './task-state.ts';

/** Waits until no other transaction changes the order of work in the project. */
export async function lockProject(tx: Queryable, project: number): Promise<void> {
  await tx.query('select from project where id = $1 for no key update', [project]);
}

/**
 * Establishes the rule under the project's lock. Says so to the claimers whenever a task is queued, since the lock may have
 * hidden it from one of them.
 */
export async function arrangeQueue(tx: Queryable, project: number): Promise<void> {
  const { rows } = await tx.query<{ id: number; queued: boolean; turn: boolean }>({
    name: 'queue-order',
    text: `with first as (
        select head.task from repository r
        join project p on p.id = r.project
        join lateral ${headOf('r.id', 'p.quiet')} head on true
        where r.project = $1
          and not exists (select from repository_claim c where c.repository = r.id and c.released_at is null)),
      turn as (
        select task as id from first group by task
        having count(*) = (select count(*) from task_repository own where own.task = first.task)),
      queued as (select id from task where project = $1 and state = 'queued')
      select id, queued.id is not null as queued, turn.id is not null as turn
      from queued full join turn using (id) order by turn.id is not null, id`,
    values: [project],
  });
  for (const { id, queued, turn } of rows) {
    if (queued && !turn)
      await moveTask(tx, id, { state: 'pending', pendingReason: 'repository', reason: WAITS });
    if (turn && !queued) await moveTask(tx, id, { state: 'queued' });
  }
  if (rows.some(({ turn }) => turn)) await wakeClaimers(tx);
}

/** SQL for the task that goes first at a repository: none of a class that is `quiet` there. As cheap however many of them wait. */
export function headOf(repository: string, quiet: string): string {
  return `(select h.task from unnest('{${TASK_CLASSES.join()}}'::text[]) open (class)
      cross join lateral (select task, order_key from task_repository w
        where w.repository = ${repository} and w.waiting and w.class = open.class order by order_key, task limit 1) h
      where open.class <> all(${quiet}) order by h.order_key, h.task limit 1)`;
}

/** Why a task is pending(repository). */
export const WAITS = 'Waits for its turn at the repository.';

/** A task may be claimable, or a worker has room. */
export async function wakeClaimers(tx: Queryable): Promise<void> {
  await tx.query(`select pg_notify('queue', '')`);
}

/** A task under lock, with the lock of its project. */
export interface LockedTask {
  id: number;
  project: number;
  state: TaskState;
  pendingReason: string | null;
  attempt: number;
  retries: RetryCounts;
  replayOf: string | null;
}

/** Locks a task's project and the task, and reads it as it is then; ERR_NOT_FOUND. */
export async function lockTask(tx: Queryable, task: number): Promise<LockedTask> {
  const { rowCount } = await tx.query(
    'select from project where id = (select project from task where id = $1) for no key update',
    [task],
  );
  if (rowCount === 0) throw taskNotFound(task); // one that is made at this moment would be locked before its project
  const { rows } = await tx.query<LockedTask>({
    name: 'lock-task',
    text: `select id, project, state, pending_reason as "pendingReason", attempt, retries, replay_of as "replayOf"
           from task where id = $1 for no key update`,
    values: [task],
  });
  return rows[0]!;
}

/** A run under lock, with the locks of its project and its task. */
export interface LockedRun {
  id: string;
  fence: number;
  state: RunState;
  liveState: RunState | null;
  cause: RunCause | null;
  worker: string;
  cancelRequested: boolean;
  leaseExpired: boolean;
  overdue: boolean;
  task: LockedTask;
}

/** Locks a run's project, task and the run, and reads them as they are then; ERR_NOT_FOUND. */
export async function lockRun(tx: Queryable, run: string): Promise<LockedRun> {
  const found = await tx.query<{ task: number }>('select task from run where id = $1', [run]);
  if (found.rows[0] === undefined) throw runNotFound(run);
  const task = await lockTask(tx, found.rows[0].task);
  const { rows } = await tx.query<Omit<LockedRun, 'task'>>({
    name: 'lock-run',
    text: `select id, fence, state, live_state as "liveState", cause, worker, cancel_requested as "cancelRequested",
             coalesce(lease_until < now(), false) as "leaseExpired",
             deadline + interval '2 minutes' < now() as overdue
           from run where id = $1 for no key update`,
    values: [run],
  });
  return { ...rows[0]!, task };
}
