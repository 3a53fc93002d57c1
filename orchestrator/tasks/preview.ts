// What would become of a task that is not given yet, by the same rules as for one that is. Changes nothing. Used by the API.
import type { Wait } from '../../protocol/scheduling.ts';
import type { TaskInput } from '../../protocol/task.ts';
import type { TaskPreview } from '../../protocol/task-preview.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Books } from '../budget/charge.ts';
import { overBudget } from '../budget/words.ts';
import type { Queryable } from '../db/connect.ts';
import { settle, type TaskDefaults } from './create.ts';
import { getDrain } from './drain.ts';
import { missingFunds } from './funds.ts';
import { projectForWork } from './projects.ts';

/** What of a task tells how it would go. */
export type Intent = Pick<
  TaskInput,
  'project' | 'repositories' | 'baseBranch' | 'agent' | 'model' | 'approvePlan' | 'priority'
>;

type PreviewWait = TaskPreview['waits'][number];

/** Says it, to whom the project is open (`projects`; all when left out); ERR_NOT_FOUND, and whatever giving the task would be refused with. */
export async function previewTask(
  db: Queryable,
  input: Intent,
  defaults: TaskDefaults & { priorityMinutes: number },
  { timeZone, currency }: Books,
  projects?: number[],
): Promise<TaskPreview> {
  const project = await projectForWork(db, input.project);
  if (projects?.includes(project.id) === false)
    throw new AutocodeError('ERR_NOT_FOUND', `There is no project ${input.project}.`);
  const { places, agent, model } = await settle(db, project, input, defaults);
  const spender = { id: 0, attempt: 0, agent, projectName: project.name, createdBy: defaults.actor };
  const budget = await missingFunds(db, spender, timeZone);
  const lead = input.priority * defaults.priorityMinutes;
  const waits: (PreviewWait | undefined)[] = [
    await drainWait(db),
    (input.approvePlan ?? project.approvePlan) ? APPROVAL : undefined,
    budget &&
      waitFor('budget', overBudget(budget, currency).message, 'It goes on when all budgets leave something.'),
    await repositoryWait(
      db,
      places.map(({ id }) => id),
      lead,
    ),
    await workerWait(db),
  ];
  return {
    agent,
    model,
    waits: waits.filter((each) => each !== undefined),
    before: await waitingBefore(db, lead),
    like: await tasksLike(db, project.name, model),
    currency,
  };
}

const waitFor = (what: Wait['for'], why: string, remedy: string): PreviewWait => ({ for: what, why, remedy });

const APPROVAL = waitFor(
  'approval',
  'Somebody approves its plan before the work begins.',
  'The plan is on its page when it is made.',
);

async function drainWait(db: Queryable): Promise<PreviewWait | undefined> {
  const { state, begunBy } = await getDrain(db);
  if (state === 'off') return undefined;
  return waitFor(
    'drain',
    `No run begins: ${begunBy} began to drain.`,
    'It goes on with `autocode drain stop`.',
  );
}

async function workerWait(db: Queryable): Promise<PreviewWait | undefined> {
  const { rowCount } = await db.query(`select from worker where state = 'online' limit 1`);
  if (rowCount !== 0) return undefined;
  return waitFor(
    'worker',
    'No worker is online.',
    'Start one: `autocode worker start`, or worker.local in the configuration.',
  );
}

async function repositoryWait(
  db: Queryable,
  repositories: number[],
  leadMinutes: number,
): Promise<PreviewWait | undefined> {
  const { rows } = await db.query<{ name: string; run: string | null; before: number }>(
    `select u.name, c.run, (select count(*)::int from task_repository w where w.repository = u.id and w.waiting
         and w.order_key <= now() - make_interval(mins => $2)) as before
     from repository u left join repository_claim c on c.repository = u.id and c.released_at is null
     where u.id = any($1) order by u.name`,
    [repositories, leadMinutes],
  );
  const busy = rows.filter(({ run, before }) => run !== null || before > 0);
  if (busy.length === 0) return undefined;
  const why = busy.map(({ name, run, before }) => {
    const held = run === null ? [] : [`run ${run} is at work`];
    const ahead =
      before === 0 ? [] : [before === 1 ? 'one task waits before it' : `${before} tasks wait before it`];
    return `In ${name} ${[...held, ...ahead].join(', and ')}.`;
  });
  return waitFor(
    'repository',
    why.join(' '),
    'One run at a time works in a repository; a higher priority goes first.',
  );
}

async function waitingBefore(db: Queryable, leadMinutes: number): Promise<number> {
  const { rows } = await db.query<{ before: number }>(
    `select count(*)::int as before from task where state = 'queued' and order_key <= now() - make_interval(mins => $1)`,
    [leadMinutes],
  );
  return rows[0]!.before;
}

const FEWEST = 3;
const KINDS = [
  { of: 'project and model', where: 'p.name = $1::text and t.model = $2::text' },
  { of: 'project', where: 'p.name = $1::text and $2::text is not null' },
  { of: 'model', where: '$1::text is not null and t.model = $2::text' },
] as const;

/** What tasks of the last 90 days cost that are most like it, where there are some. */
async function tasksLike(db: Queryable, project: string, model: string): Promise<TaskPreview['like']> {
  for (const { of, where } of KINDS) {
    const { rows } = await db.query<{ tasks: number; median: number; high: number; minutes: number | null }>(
      `with spent as (select task, sum(money) as money from usage_day
           where day > now()::date - 100 and task <> 0 group by task)
       select count(*)::int as tasks, coalesce(percentile_disc(0.5) within group (order by coalesce(spent.money, 0)), 0)::float8 as median,
         coalesce(percentile_disc(0.9) within group (order by coalesce(spent.money, 0)), 0)::float8 as high,
         (percentile_cont(0.5) within group (order by extract(epoch from t.finished_at - first.at) / 60))::float8 as minutes
       from task t join project p on p.id = t.project
         left join spent on spent.task = t.id
         cross join lateral (select min(r.created_at) as at from run r where r.task = t.id) first
       where t.state in ('completed', 'failed') and t.attempt > 0 and t.finished_at > now() - interval '90 days' and ${where}`,
      [project, model],
    );
    const { tasks, median, high, minutes } = rows[0]!;
    if (tasks >= FEWEST) {
      return { tasks, of, median, high, minutes: minutes === null ? null : Math.round(minutes * 10) / 10 };
    }
  }
  return null;
}
