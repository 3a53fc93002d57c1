// Gives a task that ended another run. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Project } from '../../protocol/project.ts';
import type { Task } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { projectForWork } from './projects.ts';
import { getTask } from './queries.ts';
import { arrangeQueue, lockTask, WAITS } from './queue.ts';
import { moveTask } from './task-state.ts';
import { withinTransaction } from '../db/within-transaction.ts';

/** Re-opens a task that failed, was cancelled or came to nothing; its retries count from zero again. */
export async function retryTask(db: Queryable, task: number): Promise<Task> {
  return await withinTransaction(db, async (tx) => {
    const { project, repositories } = await getTask(tx, task);
    refuseWithoutRepository(await projectForWork(tx, project), task, repositories);
    const locked = await lockTask(tx, task);
    await refuseWhenDelivered(tx, task);
    if (['pending', 'queued', 'running'].includes(locked.state)) {
      throw new AutocodeError('ERR_STATE', `Task ${task} is ${locked.state}; it has not ended.`, {
        remedy: `Watch it with \`autocode task watch ${task}\`, or cancel it first.`,
        details: { state: locked.state },
      });
    }
    await moveTask(tx, task, { state: 'pending', pendingReason: 'repository', reason: WAITS, retries: {} });
    await arrangeQueue(tx, locked.project);
    return await getTask(tx, task);
  });
}

function refuseWithoutRepository(project: Project, task: number, repositories: Task['repositories']): void {
  const gone = repositories.find(({ id }) => project.repositories.every((known) => known.id !== id));
  if (gone === undefined) return;
  throw new AutocodeError(
    'ERR_STATE',
    `Task ${task} works in ${gone.name}, which is no repository of project ${project.name} any more.`,
    { remedy: 'Add a new task for what is left to do.' },
  );
}

async function refuseWhenDelivered(tx: Queryable, task: number): Promise<void> {
  const { rows } = await tx.query<{ id: number; state: string }>(
    `select id, state from change where task = $1 and state <> 'closed'`,
    [task],
  );
  const change = rows[0];
  if (change === undefined) return;
  throw new AutocodeError(
    'ERR_STATE',
    `Task ${task} has brought change ${change.id}, which is ${change.state}.`,
    {
      remedy:
        change.state === 'merged'
          ? 'Add a new task for what is left to do.'
          : `Merge it (\`autocode change merge ${change.id}\`), or close it (\`autocode change close ${change.id}\`) and retry then.`,
      details: { change: change.id },
    },
  );
}
