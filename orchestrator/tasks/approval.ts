// A person decides about the plan of a task before the work begins. The run that made the plan has ended: nothing is held
// meanwhile, neither a worker nor the repository. Used by the API and finish.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Plan } from '../../protocol/run.ts';
import type { PlanApproval, PlanState, Task } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { insertMessage, type Said } from './messages.ts';
import { projectForWork } from './projects.ts';
import { getTask } from './queries.ts';
import { arrangeQueue, lockTask, type LockedTask } from './queue.ts';
import { moveTask } from './task-state.ts';
import { withinTransaction } from '../db/within-transaction.ts';

/** Lays a plan before the people; under the task's lock, with the end of the run that made it. */
export async function proposePlan(tx: Queryable, task: number, plan: Plan): Promise<void> {
  await writePlan(tx, task, 'proposed', plan);
}

/** Lets the work begin, by the plan as it is or by the steps given instead of its own. */
export async function approvePlan(
  db: Queryable,
  task: number,
  actor: string,
  edit: PlanApproval,
): Promise<Task> {
  return await decide(db, task, async (tx, locked, plan) => {
    const steps = edit.steps?.map((title) => ({ title, status: 'pending' as const })) ?? plan.steps;
    await writePlan(tx, task, 'approved', { summary: edit.summary ?? plan.summary, steps });
    await queue(tx, locked, `Its plan was approved by ${actor}; it waits for its turn at the repository.`);
  });
}

/** Has another plan made, by an agent that is given the rejected one and the message. */
export async function rejectPlan(db: Queryable, task: number, said: Said): Promise<Task> {
  return await decide(db, task, async (tx, locked, plan) => {
    await insertMessage(tx, locked, said);
    await writePlan(tx, task, 'rejected', plan);
    await queue(tx, locked, `Its plan was rejected by ${said.author}; it waits for another one.`);
  });
}

async function decide(
  db: Queryable,
  task: number,
  decision: (tx: Queryable, locked: LockedTask, plan: Plan) => Promise<void>,
): Promise<Task> {
  return await withinTransaction(db, async (tx) => {
    const locked = await lockTask(tx, task);
    await projectForWork(tx, locked.project);
    const { state, pendingReason, plan } = await getTask(tx, task);
    if (pendingReason !== 'approval' || plan === null) {
      throw new AutocodeError(
        'ERR_STATE',
        `Task ${task} is ${state}; it has no plan that waits for approval.`,
        {
          remedy: `See what it does with \`autocode task show ${task}\`.`,
          details: { state, pendingReason },
        },
      );
    }
    await decision(tx, locked, plan);
    return await getTask(tx, task);
  });
}

async function writePlan(tx: Queryable, task: number, state: PlanState, plan: Plan): Promise<void> {
  await tx.query('update task set plan_state = $2, plan = $3 where id = $1', [
    task,
    state,
    JSON.stringify(plan),
  ]);
}

async function queue(tx: Queryable, { id, project }: LockedTask, reason: string): Promise<void> {
  await moveTask(tx, id, { state: 'pending', pendingReason: 'repository', reason });
  await arrangeQueue(tx, project);
}
