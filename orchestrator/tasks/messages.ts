// Messages that people send to a task. The agent of each run is given all of them once, in their order: those that were there
// in its first prompt, by the work order; what comes later at once, by the signals. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import { runId } from '../../protocol/ids.ts';
import type { DeliveryInput, Message, TaskMessage } from '../../protocol/message.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { lockRun, lockTask, type LockedTask } from './queue.ts';
import { holdRun } from './revive.ts';
import { ENDED_TASK_STATES } from './task-state.ts';
import { withinTransaction } from '../db/within-transaction.ts';

/** All that a conversation is to hold. */
const MOST_MESSAGES = 200;
/** The lease of a lost run that is back with this first. */
const RETURN_LEASE_SECONDS = 30;

/** Who says what. */
export interface Said {
  author: string;
  text: string;
}

/** Sends a message to a task that goes on; ERR_STATE when no agent will come to read it. */
export async function sendMessage(db: Queryable, task: number, said: Said): Promise<TaskMessage> {
  return await withinTransaction(db, async (tx) => {
    const locked = await lockTask(tx, task);
    await refuseWhenDeaf(tx, locked);
    return await insertMessage(tx, locked, said);
  });
}

async function refuseWhenDeaf(tx: Queryable, { id, state, attempt }: LockedTask): Promise<void> {
  if (ENDED_TASK_STATES.includes(state)) {
    throw new AutocodeError(
      'ERR_STATE',
      `Task ${id} is ${state}; nobody is at work on it to read a message.`,
      {
        remedy: `Give it another run with \`autocode task retry ${id}\`, and send the message then.`,
        details: { state },
      },
    );
  }
  if (state !== 'running') return;
  const run = runId(id, attempt);
  const { rows } = await tx.query<{ state: string; steerable: boolean; cancelling: boolean }>(
    'select state, steerable, cancel_requested as cancelling from run where id = $1 for no key update',
    [run],
  );
  const { state: at, steerable, cancelling } = rows[0]!;
  if (steerable && !cancelling && at !== 'submitting') return;
  const why = cancelling ? 'is being cancelled' : 'has its result: its agent is done';
  throw new AutocodeError('ERR_STATE', `Run ${run} ${why}; it is too late for a message.`, {
    remedy: `Wait for its end with \`autocode task watch ${id}\`, then \`autocode task retry ${id}\` or a new task says what is left to do.`,
    details: { run, state: at },
  });
}

/** Adds a message under the lock of its task, and tells the runner if there is one. */
export async function insertMessage(
  tx: Queryable,
  { id, project, attempt, state }: LockedTask,
  { author, text }: Said,
): Promise<TaskMessage> {
  const { rows } = await tx.query<{ number: number; at: Date }>(
    `insert into task_message (task, number, author, text)
     select $1, coalesce(max(number), 0) + 1, $2, $3 from task_message where task = $1 having count(*) < $4
     returning number, created_at as at`,
    [id, author, text, MOST_MESSAGES],
  );
  if (rows[0] === undefined) {
    throw new AutocodeError('ERR_STATE', `Task ${id} has ${MOST_MESSAGES} messages; it takes no more.`, {
      remedy: 'Cancel it, and add a task that says all of it.',
    });
  }
  const { number, at } = rows[0];
  const run = state === 'running' ? runId(id, attempt) : undefined;
  await emit(tx, { kind: 'task.message', project, task: id, data: { number, author, text } });
  if (run !== undefined) await tx.query(`select pg_notify('run', $1)`, [run]);
  return { number, author, text, at: at.toISOString(), run: null, deliveredAt: null };
}

/** A task's messages with what became of them, in their order. */
export async function listMessages(db: Queryable, task: number): Promise<TaskMessage[]> {
  const { rows } = await db.query<
    Omit<TaskMessage, 'at' | 'deliveredAt'> & { at: Date; deliveredAt: Date | null }
  >(
    `select number, author, text, created_at as at, run, delivered_at as "deliveredAt"
     from task_message where task = $1 order by number`,
    [task],
  );
  return rows.map((row) => ({
    ...row,
    at: row.at.toISOString(),
    deliveredAt: row.deliveredAt?.toISOString() ?? null,
  }));
}

/** Messages as an agent gets them, those after a number only. */
export async function messagesOf(db: Queryable, task: number, after = 0): Promise<Message[]> {
  const { rows } = await db.query<Omit<Message, 'at'> & { at: Date }>({
    name: 'messages-of-task',
    text: `select number, author, text, created_at as at from task_message
           where task = $1 and number > $2 order by number`,
    values: [task, after],
  });
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}

/**
 * Records which messages a run's agent has been given; a repeated call changes nothing. With `last` the run takes none from
 * now on, unless some came meanwhile: under the task's lock, so that none falls between the two.
 */
export async function noteDelivery(db: Queryable, run: string, input: DeliveryInput): Promise<Message[]> {
  return await withinTransaction(db, async (tx) => {
    const locked = await lockRun(tx, run);
    await holdRun(tx, locked, input.fence, RETURN_LEASE_SECONDS);
    const { id, project } = locked.task;
    const { rows } = await tx.query<{ number: number }>(
      `update task_message set run = $3, delivered_at = now()
       where task = $1 and number <= $2 and run is null returning number`,
      [id, input.delivered, run],
    );
    const numbers = rows.map(({ number }) => number).toSorted((one, other) => one - other);
    if (numbers.length > 0)
      await emit(tx, { kind: 'task.message', project, task: id, run, data: { numbers } });
    const left = await messagesOf(tx, id, input.delivered);
    if (input.last && left.length === 0)
      await tx.query('update run set steerable = false where id = $1', [run]);
    return left;
  });
}
