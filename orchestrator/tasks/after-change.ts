// Tasks that wait for an earlier change of their repository, where their project says so (`afterChange: wait`): as pending(change), out
// of the way of others, until it was merged or closed. Used by the claim, the sweep and explanations.
import type { Queryable } from '../db/connect.ts';
import { arrangeQueue } from './queue.ts';
import { moveTask } from './task-state.ts';

/** An open change that a task waits for. */
export interface EarlierChange {
  id: number;
  repository: number;
  name: string;
}

/**
 * The open change of another task that keeps the next run of a task from beginning. A task goes on with its own open change, an
 * investigation looks at what there is, and a run that is done again begins where it began.
 */
export async function earlierChange(db: Queryable, task: number): Promise<EarlierChange | undefined> {
  const { rows } = await db.query<EarlierChange>({
    name: 'earlier-change',
    text: `select c.id, r.id as repository, r.name from task t join project p on p.id = t.project
        join task_repository own on own.task = t.id join repository r on r.id = own.repository
        join change c on c.repository = r.id and c.state = 'open' and c.task <> t.id
      where t.id = $1 and p.after_change = 'wait' and t.kind = 'change' and t.replay_of is null
        and not exists (select from change mine where mine.task = t.id and mine.repository = r.id and mine.state = 'open')
      order by c.id desc limit 1`,
    values: [task],
  });
  return rows[0];
}

/** Why a task waits for a change. */
export function changeText({ id, name }: EarlierChange): string {
  return `Change ${id} of ${name} is open, and its project lets no other task begin before it is merged or closed.`;
}

/** Takes a queued task out of the queue until the change was merged or closed. */
export async function awaitChange(
  tx: Queryable,
  task: { id: number; project: number },
  change: EarlierChange,
): Promise<void> {
  await moveTask(tx, task.id, {
    state: 'pending',
    pendingReason: 'change',
    heldBy: `change:${change.repository}`,
    reason: changeText(change),
  });
  await arrangeQueue(tx, task.project);
}
