// Tasks that cannot begin since a budget of theirs leaves nothing: they wait as pending(budget), out of the way of others, and
// go back to the queue when all leave something again. Used by the claim, the sweep, and the API when budgets change.
import type { Budget } from '../../protocol/budget.ts';
import { runId } from '../../protocol/ids.ts';
import type { Books } from '../budget/charge.ts';
import { usedUp, type Owner } from '../budget/limits.ts';
import { payersOf, scopesOf } from '../budget/payers.ts';
import { overBudget } from '../budget/words.ts';
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { arrangeQueue, lockTask, WAITS } from './queue.ts';
import { moveTask } from './task-state.ts';

/** What tells who would pay for the next run of a task. */
export interface Spender {
  id: number;
  attempt: number;
  agent: string;
  projectName: string;
  createdBy: string;
}

/** So many go back to the queue at a time: what there is may be enough for the first of them only. */
const AT_ONCE = 50;

/** The budget that keeps the next run of a task from beginning, if one does. */
export async function missingFunds(
  tx: Queryable,
  task: Spender,
  timeZone: string,
): Promise<Budget | undefined> {
  return (await usedUp(tx, ownersOf(task), timeZone))[0];
}

/** Takes a queued task out of the queue until its budgets leave something. */
export async function awaitFunds(
  tx: Queryable,
  task: { id: number; project: number },
  budget: Budget,
  { currency }: Books,
): Promise<void> {
  const { message, remedy } = overBudget(budget, currency);
  await moveTask(tx, task.id, { state: 'pending', pendingReason: 'budget', reason: `${message} ${remedy}` });
  await arrangeQueue(tx, task.project);
}

/**
 * Tasks that wait for a budget although all of theirs leave something, the first ones first. `due`: without those for whose
 * first call it was not enough a moment ago.
 */
export async function fundedTasks(
  db: Queryable,
  timeZone: string,
  which: 'due' | 'all' = 'due',
): Promise<{ id: number }[]> {
  const { rows: waiting } = await db.query<Spender>(
    `select t.id, t.attempt, t.agent, t.created_by as "createdBy", p.name as "projectName"
     from task t join project p on p.id = t.project where t.pending_reason = 'budget' and ($1 or t.not_before is null or t.not_before <= now()) order by t.order_key, t.id`,
    [which === 'all'],
  );
  if (waiting.length === 0) return [];
  const owners = new Map(waiting.flatMap(ownersOf).map((owner) => [keyOf(owner), owner]));
  const empty = new Set((await usedUp(db, [...owners.values()], timeZone)).map(keyOf));
  return waiting.filter((task) => !ownersOf(task).some((owner) => empty.has(keyOf(owner)))).slice(0, AT_ONCE);
}

/** Puts a task that waited for a budget back in the queue; the claim looks at the budgets again. */
export async function takeUpAgain(tx: Queryable, id: number): Promise<boolean> {
  const task = await lockTask(tx, id);
  if (task.pendingReason !== 'budget') return false;
  await moveTask(tx, id, { state: 'pending', pendingReason: 'repository', reason: WAITS });
  await arrangeQueue(tx, task.project);
  return true;
}

/** Puts all back for which there is something: budgets have changed. */
export async function budgetsChanged(db: Queryable, timeZone: string): Promise<void> {
  for (const { id } of await fundedTasks(db, timeZone, 'all'))
    await withinTransaction(db, async (tx) => await takeUpAgain(tx, id));
  await db.query(`select pg_notify('queue', '')`); // a worker may have a budget again
}

// As the gateway counts a run's calls, but for the worker: another one may have what this one lacks.
function ownersOf({ id, attempt, agent, projectName, createdBy }: Spender): Owner[] {
  const run = runId(id, attempt + 1);
  const payers = payersOf({
    project: projectName,
    task: id,
    run,
    agent,
    worker: null,
    person: createdBy,
  });
  const { scopes, subjects } = scopesOf(payers);
  return scopes.map((scope, index) => ({ scope, subject: subjects[index]! }));
}

const keyOf = ({ scope, subject }: Owner) => `${scope}\0${subject}`;
