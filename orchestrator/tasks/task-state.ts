// The state machine of a task: the table, and the one function that makes every transition.
// Used by the rest of this folder; callers hold the lock of the task's project (see queue.ts).
import { AutocodeError } from '../../protocol/errors.ts';
import type { PendingReason, TaskState } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';

/**
 * From each state, the states a task may go to. Whatever is to be done (again) becomes pending(repository) first, and
 * queued when its turn at the repository comes. A pending task goes straight back to running when its lost run is back.
 */
export const TASK_TRANSITIONS: Readonly<Record<TaskState, readonly TaskState[]>> = {
  pending: ['pending', 'queued', 'running', 'cancelled'],
  queued: ['pending', 'running', 'cancelled'],
  running: ['pending', 'completed', 'failed', 'cancelled'],
  completed: ['pending'],
  failed: ['pending'],
  cancelled: ['pending'],
};

/** States in which nothing more happens by itself. */
export const ENDED_TASK_STATES: readonly TaskState[] = ['completed', 'failed', 'cancelled'];

/** Retries used, by cause. */
export type RetryCounts = Partial<Record<string, number>>;

/** Where a task goes, and what is written with it; the waiting columns are cleared where they are not named. */
export type TaskMove = (
  | { state: 'pending'; pendingReason: PendingReason; notBeforeSeconds?: number; heldBy?: string }
  | { state: Exclude<TaskState, 'pending'> }
) & { reason?: string | null; attempt?: number; retries?: RetryCounts };

/** Makes a transition and says so in the outbox; ERR_STATE when the table does not allow it. */
export async function moveTask(tx: Queryable, task: number, move: TaskMove): Promise<void> {
  const pending = move.state === 'pending' ? move : undefined;
  const { rows } = await tx.query<{ from: TaskState; project: number }>({
    name: 'move-task',
    text: `with old as (select id, state from task where id = $1 for no key update),
      turns as (update task_repository r set waiting = $10 from old
        where r.task = old.id and old.state = any($3) and r.waiting <> $10)
      update task t set state = $2, pending_reason = $4, reason = $5,
        not_before = now() + make_interval(secs => $6::float8), attempt = coalesce($7, t.attempt),
        retries = coalesce($8, t.retries), held_by = $11, updated_at = now(), finished_at = case when $9 then now() end
      from old where t.id = old.id and old.state = any($3)
      returning old.state as "from", t.project`,
    values: [
      task,
      move.state,
      statesBefore(move.state),
      pending?.pendingReason ?? null,
      move.reason ?? null,
      pending?.notBeforeSeconds ?? null,
      move.attempt ?? null,
      move.retries === undefined ? null : JSON.stringify(move.retries),
      ENDED_TASK_STATES.includes(move.state),
      move.state === 'queued' || pending?.pendingReason === 'repository',
      pending?.heldBy ?? null,
    ],
  });
  const moved = rows[0];
  if (moved === undefined) throw await refusal(tx, task, move.state);
  const data = { from: moved.from, to: move.state, reason: move.reason ?? null };
  await emit(tx, {
    kind: 'task.state',
    project: moved.project,
    task,
    data: pending === undefined ? data : { ...data, pendingReason: pending.pendingReason },
  });
}

function statesBefore(to: TaskState): TaskState[] {
  return (Object.keys(TASK_TRANSITIONS) as TaskState[]).filter((from) => TASK_TRANSITIONS[from].includes(to));
}

async function refusal(tx: Queryable, task: number, to: TaskState): Promise<AutocodeError> {
  const { rows } = await tx.query<{ state: TaskState }>('select state from task where id = $1', [task]);
  if (rows[0] === undefined) return taskNotFound(task);
  return new AutocodeError('ERR_STATE', `Task ${task} is ${rows[0].state}; it cannot become ${to}.`, {
    remedy: `See what it may do next with \`autocode task show ${task}\`.`,
    details: { from: rows[0].state, to },
  });
}

/** There is no such task. */
export function taskNotFound(task: number): AutocodeError {
  return new AutocodeError('ERR_NOT_FOUND', `There is no task ${task}.`, {
    remedy: 'See `autocode task list`.',
  });
}
