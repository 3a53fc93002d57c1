// The mailbox of a task: what is said about it reaches the agent that is at work, or opens the task again for another run on the
// same branch. Used by intake, inside the transaction that records what came, and by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import { runId } from '../../protocol/ids.ts';
import type { TaskMessage } from '../../protocol/message.ts';
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { insertMessage, listMessages, sendMessage, type Said } from './messages.ts';
import { projectForWork } from './projects.ts';
import { arrangeQueue, lockTask, type LockedTask } from './queue.ts';
import { ENDED_TASK_STATES, moveTask } from './task-state.ts';

/** What became of a message: `later` when the run that goes on takes none any more, and has not ended. */
export type Posted = 'appended' | 'reopened' | 'later';

/** Gives a task a message; ERR_STATE where nobody shall work on it again. `mayReopen`: it has not been opened too often. */
export async function postMessage(
  tx: Queryable,
  task: number,
  said: Said,
  mayReopen: boolean,
): Promise<Posted> {
  const locked = await lockTask(tx, task);
  if (locked.state === 'pending' || locked.state === 'queued' || (await takesMessages(tx, locked))) {
    await insertMessage(tx, locked, said);
    return 'appended';
  }
  if (locked.state === 'running') return 'later';
  await refuseToReopen(tx, locked, mayReopen);
  await projectForWork(tx, locked.project);
  await insertMessage(tx, locked, said);
  const reason = `Opened again by ${said.author}; it waits for its turn at the repository.`;
  await moveTask(tx, task, { state: 'pending', pendingReason: 'repository', reason, retries: {} });
  await arrangeQueue(tx, locked.project);
  return 'reopened';
}

/** Sends a person's message to a task, which is opened again for it when it has ended. */
export async function sendOrReopen(db: Queryable, task: number, said: Said): Promise<TaskMessage> {
  return await withinTransaction(db, async (tx) => {
    const { state } = await lockTask(tx, task);
    if (!ENDED_TASK_STATES.includes(state)) return await sendMessage(tx, task, said);
    await postMessage(tx, task, said, true);
    return (await listMessages(tx, task)).at(-1)!;
  });
}

async function takesMessages(tx: Queryable, { id, state, attempt }: LockedTask): Promise<boolean> {
  if (state !== 'running') return false;
  const { rows } = await tx.query<{ open: boolean }>(
    `select steerable and not cancel_requested and state <> 'submitting' as open from run where id = $1 for no key update`,
    [runId(id, attempt)],
  );
  return rows[0]?.open ?? false;
}

// A branch that somebody else has pushed to would be refused at the end of the run: better said before it is paid for.
async function refuseToReopen(tx: Queryable, { id, state }: LockedTask, mayReopen: boolean): Promise<void> {
  const { rows } = await tx.query<{ id: number; state: string; forge_head: string | null }>(
    'select id, state, forge_head from change where task = $1 order by id',
    [id],
  );
  const over = rows.find((change) => change.state !== 'open');
  const moved = rows.find((change) => change.forge_head !== null);
  const why =
    state === 'cancelled'
      ? 'was cancelled'
      : over !== undefined
        ? `has brought change ${over.id}, which is ${over.state}`
        : moved !== undefined
          ? `has change ${moved.id}, whose branch has commits of somebody else`
          : mayReopen
            ? undefined
            : 'was opened again as often as its source may';
  if (why === undefined) return;
  throw new AutocodeError('ERR_STATE', `Task ${id} ${why}; nobody works on it again.`, {
    remedy: 'Add a new task for what is left to do.',
  });
}
