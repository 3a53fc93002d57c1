// The order of work at a repository: one run at a time, one queued task (the head), the others waiting as
// pending(repository). Whatever changes that order locks the repository, makes its change and calls `arrangeQueue`.
// Locks are always taken in the order project → repository → task → run, so that nothing deadlocks.
import type { RunCause, RunState } from '../../protocol/run.ts';
import type { TaskState } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { runNotFound } from './run-state.ts';
import { moveTask, taskNotFound, type RetryCounts } from './task-state.ts';

/** Waits until no other transaction changes the order of work at the repository. */
export async function lockRepository(tx: Queryable, repository: number): Promise<void> {
  await tx.query('select from repository where id = $1 for no key update', [repository]);
}

/**
 * Establishes the rule under the repository's lock: none queued while a run has the repository, else the first of the
 * waiting ones. Says so to the claimers whenever there is a head, since the lock may have hidden it from one of them.
 */
export async function arrangeQueue(tx: Queryable, repository: number): Promise<void> {
  const { rows } = await tx.query<{
    claimed: boolean;
    head: number | null;
    next: number | null;
    swap: boolean;
  }>({
    name: 'queue-order',
    text: `select exists (select from repository_claim where repository = $1 and released_at is null) as claimed,
        head.id as head, next.id as next, (next.order_key, next.id) < (head.order_key, head.id) as swap
      from (select) as one
      left join lateral (select id, order_key from task where repository = $1 and state = 'queued') head on true
      left join lateral (select id, order_key from task
        where repository = $1 and state = 'pending' and pending_reason = 'repository'
        order by order_key, id limit 1) next on true`,
    values: [repository],
  });
  const { claimed, head, next, swap } = rows[0]!;
  if (head !== null && (claimed || swap)) {
    await moveTask(tx, head, { state: 'pending', pendingReason: 'repository', reason: WAITS });
  }
  if (next !== null && !claimed && (head === null || swap)) await moveTask(tx, next, { state: 'queued' });
  if (!claimed && (head ?? next) !== null) await wakeClaimers(tx);
}

/** Why a task is pending(repository). */
export const WAITS = 'Waits for its turn at the repository.';

/** A task may be claimable, or a worker has room. */
export async function wakeClaimers(tx: Queryable): Promise<void> {
  await tx.query(`select pg_notify('queue', '')`);
}

/** A task under lock, with the lock of its repository. */
export interface LockedTask {
  id: number;
  project: number;
  repository: number;
  state: TaskState;
  pendingReason: string | null;
  attempt: number;
  retries: RetryCounts;
}

/** Locks a task's repository and the task, and reads it as it is then; ERR_NOT_FOUND. */
export async function lockTask(tx: Queryable, task: number): Promise<LockedTask> {
  await tx.query(
    'select from repository where id = (select repository from task where id = $1) for no key update',
    [task],
  );
  const { rows } = await tx.query<LockedTask>({
    name: 'lock-task',
    text: `select id, project, repository, state, pending_reason as "pendingReason", attempt, retries
           from task where id = $1 for no key update`,
    values: [task],
  });
  if (rows[0] === undefined) throw taskNotFound(task);
  return rows[0];
}

/** A run under lock, with the locks of its repository and its task. */
export interface LockedRun {
  id: string;
  fence: number;
  state: RunState;
  liveState: RunState | null;
  cause: RunCause | null;
  worker: string;
  cancelRequested: boolean;
  headCommit: string | null;
  leaseExpired: boolean;
  overdue: boolean;
  task: LockedTask;
}

/** Locks a run's repository, task and the run, and reads them as they are then; ERR_NOT_FOUND. */
export async function lockRun(tx: Queryable, run: string): Promise<LockedRun> {
  const found = await tx.query<{ task: number }>('select task from run where id = $1', [run]);
  if (found.rows[0] === undefined) throw runNotFound(run);
  const task = await lockTask(tx, found.rows[0].task);
  const { rows } = await tx.query<Omit<LockedRun, 'task'>>({
    name: 'lock-run',
    text: `select id, fence, state, live_state as "liveState", cause, worker, cancel_requested as "cancelRequested",
             head_commit as "headCommit", coalesce(lease_until < now(), false) as "leaseExpired",
             deadline + interval '2 minutes' < now() as overdue
           from run where id = $1 for no key update`,
    values: [run],
  });
  return { ...rows[0]!, task };
}
