// Why a task waits, and what would change it. Asks what the claim asks, one condition after the other. Used by the API.
import type { Task } from '../../protocol/task.ts';
import type { Explanation, Wait } from '../../protocol/scheduling.ts';
import type { Books } from '../budget/charge.ts';
import { overBudget } from '../budget/words.ts';
import type { Queryable } from '../db/connect.ts';
import { getDrain } from './drain.ts';
import { explainOrder } from './explain-order.ts';
import { explainWorkers, NAMED, tasksBefore, type ExplainSettings } from './explain-workers.ts';
import { missingFunds } from './funds.ts';
import { lockedSecrets, secretsAway } from './locked-secrets.ts';
import { getTask } from './queries.ts';
import { ENDED_TASK_STATES } from './task-state.ts';

/** Explains a task; ERR_NOT_FOUND. */
export async function explainTask(
  db: Queryable,
  id: number,
  settings: ExplainSettings,
): Promise<Explanation> {
  const task = await getTask(db, id);
  const queue = task.state === 'queued' ? await placeOf(db, id) : null;
  const waits = await waitsOf(db, task, queue?.before ?? [], settings);
  const { state, pendingReason } = task;
  const place = queue?.place ?? null;
  return { task: id, state, pendingReason, summary: summaryOf(task, waits), waits, place };
}

function summaryOf(task: Task, waits: Wait[]): string {
  if (task.state === 'running') return `It runs as ${task.currentRun}.`;
  if (ENDED_TASK_STATES.includes(task.state))
    return `It is ${task.state}${task.reason === null ? '.' : `: ${task.reason}`}`;
  if (waits.length === 0) return 'It is queued, and a worker may take it now.';
  return `It waits for ${waits.map((wait) => NAMES[wait.for]).join(', and for ')}.`;
}

const NAMES: Readonly<Record<Wait['for'], string>> = {
  drain: 'the end of the drain',
  approval: 'somebody to approve its plan',
  retry: 'the time of its next try',
  budget: 'a budget',
  secrets: 'a secret that cannot be read now',
  repository: 'its turn at a repository',
  'quiet-hours': 'the end of quiet hours',
  change: 'an earlier change',
  limit: 'a limit of runs at a time',
  worker: 'a worker that may take it',
  room: 'room on a worker',
};

async function waitsOf(
  db: Queryable,
  task: Task,
  before: number[],
  settings: ExplainSettings,
): Promise<Wait[]> {
  if (task.state !== 'pending' && task.state !== 'queued') return [];
  const drain = await waitForDrain(db);
  const { pendingReason } = task;
  if (pendingReason === 'limit' || pendingReason === 'change')
    return [...drain, ...(await explainOrder(db, task, settings.scheduling))];
  if (pendingReason !== null && pendingReason !== 'repository') {
    const own = waitOf(task);
    return [...drain, ...(own === undefined ? [] : [own])];
  }
  return [
    ...drain,
    ...(await waitForRepositories(db, task.id)),
    ...(await explainOrder(db, task, settings.scheduling)),
    ...(await waitForSecrets(db, task, settings)),
    ...(await waitForFunds(db, task, settings.books)),
    ...(await explainWorkers(db, task.id, before, settings)),
  ];
}

async function waitForDrain(db: Queryable): Promise<Wait[]> {
  const { state, begunBy, begunAt, reason, flagged, runs } = await getDrain(db);
  if (state === 'off') return [];
  const active = runs.length === 0 ? 'none is active' : `${runs.length} are active`;
  const why = `No run begins since ${begunAt}, when ${begunBy} began to drain${reason === null ? '' : ` (${reason})`}; ${active}.`;
  const remedy = flagged
    ? 'It goes on when the flag file is false or removed.'
    : 'It goes on with `autocode drain stop`.';
  return [{ for: 'drain', why, remedy, tasks: [] }];
}

/** What a pending task says of itself. */
function waitOf({ id, pendingReason, reason, notBefore }: Task): Wait | undefined {
  const why = reason ?? '';
  switch (pendingReason) {
    case 'approval':
      return {
        for: 'approval',
        why,
        remedy: `See it with \`autocode task show ${id}\`, then \`task approve ${id}\` or \`task reject ${id}\`.`,
        tasks: [],
      };
    case 'secrets':
      return { for: 'secrets', why, remedy: UNLOCK, tasks: [] };
    case 'retry':
      return { for: 'retry', why, remedy: `It is tried again at ${notBefore}.`, tasks: [] };
    case 'budget':
      return {
        for: 'budget',
        why,
        remedy:
          notBefore === null
            ? 'It goes on when all budgets leave something, or are set anew.'
            : `It is tried again at ${notBefore}, or when budgets are set.`,
        tasks: [],
      };
    default:
      return undefined;
  }
}

async function waitForRepositories(db: Queryable, task: number): Promise<Wait[]> {
  const { rows } = await db.query<{
    name: string;
    run: string | null;
    holder: number | null;
    before: number[];
  }>(
    `select u.name, c.run, r.task as holder,
       to_jsonb(array(select w.task from task_repository w where w.repository = own.repository and w.waiting
         and (w.order_key, w.task) < (own.order_key, own.task) order by w.order_key, w.task limit ${NAMED})) as before
     from task_repository own join repository u on u.id = own.repository
       left join repository_claim c on c.repository = own.repository and c.released_at is null
       left join run r on r.id = c.run
     where own.task = $1 order by own.position`,
    [task],
  );
  return rows.flatMap(({ name, run, holder, before }): Wait[] => {
    if (run === null && before.length === 0) return [];
    const held = run === null ? [] : [`run ${run} of task ${holder} is at work`];
    const queue = before.length === 0 ? [] : [tasksBefore(before)];
    return [
      {
        for: 'repository',
        why: `In ${name}: ${[...held, ...queue].join(', and ')}.`,
        remedy:
          'One run at a time works in a repository. It goes on when they have ended; a task that is added with a higher --priority goes first.',
        tasks: [...(holder === null ? [] : [holder]), ...before],
      },
    ];
  });
}

async function waitForSecrets(db: Queryable, task: Task, settings: ExplainSettings): Promise<Wait[]> {
  const away = await secretsAway(db);
  if (away === null) return [];
  const locked = await lockedSecrets(db, task, settings.engineKeys);
  return locked === undefined
    ? []
    : [{ for: 'secrets', why: `${locked} ${away}`, remedy: UNLOCK, tasks: [] }];
}

const UNLOCK = 'It goes on within seconds when secrets can be read again.';

async function waitForFunds(db: Queryable, task: Task, { timeZone, currency }: Books): Promise<Wait[]> {
  const { id, attempt, agent, project: projectName, createdBy } = task;
  const budget = await missingFunds(db, { id, attempt, agent, projectName, createdBy }, timeZone);
  if (budget === undefined) return [];
  const { message, remedy } = overBudget(budget, currency);
  return [{ for: 'budget', why: message, remedy: remedy ?? 'Set a larger budget.', tasks: [] }];
}

/** Its place among all queued tasks, and those that go before it. */
async function placeOf(db: Queryable, task: number): Promise<{ place: number; before: number[] }> {
  const { rows } = await db.query<{ place: number; before: number[] }>(
    `with before as (select id, order_key from task
        where state = 'queued' and (order_key, id) < (select order_key, id from task where id = $1))
     select (select count(*) from before) + 1 as place,
       to_jsonb(array(select id from before order by order_key, id limit ${NAMED})) as before`,
    [task],
  );
  return rows[0]!;
}
