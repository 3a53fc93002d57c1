// Cancels a task in any state before its change is open. Used by the API; the submission asks `isCancelRequested`.
import { AutocodeError } from '../../protocol/errors.ts';
import { runId } from '../../protocol/ids.ts';
import type { Task } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { getTask } from './queries.ts';
import { arrangeQueue, lockTask, type LockedTask } from './queue.ts';
import { ENDED_TASK_STATES, moveTask } from './task-state.ts';
import { withinTransaction } from '../db/within-transaction.ts';

/** Cancels at once what only waits, and asks the runner (or the submission) to stop what is at work. */
export async function cancelTask(db: Queryable, task: number, actor: string): Promise<Task> {
  return await withinTransaction(db, async (tx) => {
    const locked = await lockTask(tx, task);
    if (ENDED_TASK_STATES.includes(locked.state)) {
      throw new AutocodeError(
        'ERR_STATE',
        `Task ${task} is ${locked.state} already; there is nothing to cancel.`,
        {
          remedy:
            locked.state === 'completed'
              ? `Close its change, if it has one: \`autocode task show ${task}\`.`
              : `See \`autocode task show ${task}\`.`,
          details: { state: locked.state },
        },
      );
    }
    if (locked.state === 'running') await requestCancel(tx, locked, actor);
    else await moveTask(tx, task, { state: 'cancelled', reason: `Cancelled by ${actor}.` });
    await arrangeQueue(tx, locked.project);
    return await getTask(tx, task);
  });
}

// The task's time of change is when it was first asked for: the sweep ends a run that does not answer in time.
async function requestCancel(tx: Queryable, task: LockedTask, actor: string): Promise<void> {
  const run = runId(task.id, task.attempt);
  await refuseWhenOpened(tx, task, run);
  const { rowCount } = await tx.query(
    `update run set cancel_requested = true where id = $1 and not cancel_requested`,
    [run],
  );
  if (rowCount === 0) return;
  await tx.query(`update task set reason = $2, updated_at = now() where id = $1`, [
    task.id,
    `Cancel asked for by ${actor}; the run is stopping.`,
  ]);
  await tx.query(`select pg_notify('run', $1)`, [run]);
}

async function refuseWhenOpened(tx: Queryable, task: LockedTask, run: string): Promise<void> {
  const { rows } = await tx.query<{ id: number }>('select id from change where run = $1', [run]);
  if (rows[0] === undefined) return;
  throw new AutocodeError(
    'ERR_STATE',
    `Task ${task.id} has opened change ${rows[0].id}; it is too late to cancel it.`,
    {
      remedy: `Close the change instead: \`autocode change close ${rows[0].id}\`.`,
      details: { change: rows[0].id },
    },
  );
}

/** Whether someone wants the run to stop. */
export async function isCancelRequested(db: Queryable, run: string): Promise<boolean> {
  const { rows } = await db.query<{ cancel: boolean }>(
    'select cancel_requested as cancel from run where id = $1',
    [run],
  );
  return rows[0]?.cancel ?? false;
}
