// Changes a task that was given: its words, its limits, its place in the order of work. Used by the API.
import { isDeepStrictEqual } from 'node:util';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Task, TaskPatch } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { emit } from '../events/outbox.ts';
import { refuseOverwriting } from './overwriting.ts';
import { getTask } from './queries.ts';
import { arrangeQueue, lockTask } from './queue.ts';
import { ENDED_TASK_STATES } from './task-state.ts';

type Field = Exclude<keyof TaskPatch, 'was'>;

/** Who changes it, and how much waiting a step of priority outweighs. */
export interface Editing {
  actor: string;
  priorityMinutes: number;
}

/**
 * Changes what the patch names. ERR_CONFLICT when what the editor saw is different by now, ERR_STATE when it is too late for the
 * change: a run at work has its words and limits, and a task that has ended is nobody's.
 */
export async function editTask(db: Queryable, id: number, patch: TaskPatch, by: Editing): Promise<Task> {
  return await withinTransaction(db, async (tx) => {
    const { project } = await lockTask(tx, id);
    const task = await getTask(tx, id);
    const { was = {}, ...wanted } = patch;
    refuseOverwriting(`task ${id}`, task, was);
    const changed = (Object.keys(wanted) as Field[]).filter(
      (field) => wanted[field] !== undefined && !isDeepStrictEqual(wanted[field], task[field]),
    );
    if (changed.length === 0) return task;
    refuseTooLate(task, changed);
    await keep(tx, id, wanted, by);
    if (changed.includes('priority')) await arrangeQueue(tx, project);
    await emit(tx, { kind: 'task.changed', project, task: id, data: { changed, by: by.actor } });
    return await getTask(tx, id);
  });
}

function refuseTooLate({ id, state }: Task, changed: Field[]): void {
  const late = changed.filter((field) => field !== 'priority');
  const ended = ENDED_TASK_STATES.includes(state);
  if (!ended && (state !== 'running' || late.length === 0)) return;
  const what = ended ? changed : late;
  throw new AutocodeError(
    'ERR_STATE',
    `Task ${id} is ${state}; it is too late to change ${what.join(', ')}.`,
    {
      remedy: ended
        ? `Give it another run with \`autocode task retry ${id}\`, or add a new task.`
        : `Say it to its agent: \`autocode task send ${id} TEXT\`.`,
      details: { state },
    },
  );
}

async function keep(
  tx: Queryable,
  id: number,
  { title, body, acceptance, targetFiles, priority, limits }: Omit<TaskPatch, 'was'>,
  { priorityMinutes }: Editing,
): Promise<void> {
  await tx.query(
    `with changed as (update task set title = coalesce($2, title), body = coalesce($3, body), acceptance = coalesce($4, acceptance),
         target_files = coalesce($5, target_files), limits = coalesce($6, limits), priority = coalesce($7, priority),
         order_key = case when $7 is null then order_key else created_at - $7::int * make_interval(mins => $8) end, updated_at = now()
       where id = $1 returning id, order_key)
     update task_repository r set order_key = changed.order_key from changed
       where r.task = changed.id and r.order_key <> changed.order_key`,
    [
      id,
      title ?? null,
      body ?? null,
      json(acceptance),
      json(targetFiles),
      json(limits),
      priority ?? null,
      priorityMinutes,
    ],
  );
}

const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value));
