// What the order of work keeps from beginning: quiet hours, limits of runs at a time, an earlier change. Used by explain.ts.
import type { QuietHours } from '../../protocol/order-of-work.ts';
import type { Wait } from '../../protocol/scheduling.ts';
import type { Task } from '../../protocol/task.ts';
import type { SchedulingSettings } from '../config/scheduling-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { changeText, earlierChange } from './after-change.ts';
import { quietClasses, quietUntil } from './quiet-hours.ts';
import { limitsOf, limitText, reachedLimit } from './run-limits.ts';

const SOON = 'It is taken up within seconds.';

interface OfProject {
  id: number;
  maxRuns: number | null;
  quietHours: QuietHours[] | null;
  now: Date;
}

/** What a task that waits for its turn waits for by the order of work. */
export async function explainOrder(
  db: Queryable,
  task: Task,
  settings: Pick<SchedulingSettings, 'limits' | 'quietHours'>,
): Promise<Wait[]> {
  const project = await projectOf(db, task);
  return [
    ...waitForQuietHours(task, project, settings.quietHours),
    ...(await waitForChange(db, task)),
    ...(await waitForLimit(db, task, project, settings)),
  ];
}

async function projectOf(db: Queryable, { id }: Task): Promise<OfProject> {
  const { rows } = await db.query<OfProject>(
    `select p.id, p.max_runs as "maxRuns", p.quiet_hours as "quietHours", now() as now
     from task t join project p on p.id = t.project where t.id = $1`,
    [id],
  );
  return rows[0]!;
}

function waitForQuietHours(task: Task, { quietHours, now }: OfProject, configured: QuietHours[]): Wait[] {
  const hours = quietHours ?? configured;
  if (!quietClasses(now, hours).includes(task.class)) return [];
  const until = quietUntil(now, hours, task.class).toISOString();
  const where =
    quietHours === null
      ? 'scheduling.quietHours in the configuration'
      : `\`autocode project set ${task.project} --quiet-hours\``;
  return [
    {
      for: 'quiet-hours',
      why: `No run of a ${task.class} begins in quiet hours, which last until ${until}.`,
      remedy: `It goes on then. Another time, or classes that are excepted: ${where}.`,
      tasks: [],
    },
  ];
}

async function waitForChange(db: Queryable, task: Task): Promise<Wait[]> {
  const change = await earlierChange(db, task.id);
  if (change === undefined)
    return task.pendingReason === 'change'
      ? [{ for: 'change', why: task.reason ?? '', remedy: SOON, tasks: [] }]
      : [];
  return [
    {
      for: 'change',
      why: changeText(change),
      remedy: `\`autocode change merge ${change.id}\` or \`change close ${change.id}\`; or let tasks build upon it: \`autocode project set ${task.project} --after-change stack\`.`,
      tasks: [],
    },
  ];
}

async function waitForLimit(
  db: Queryable,
  task: Task,
  project: OfProject,
  { limits }: Pick<SchedulingSettings, 'limits'>,
): Promise<Wait[]> {
  const { sourceName, account, project: projectName } = task;
  const { id, maxRuns } = project;
  const own = limitsOf({ project: id, projectName, sourceName, account, maxRuns }, limits);
  const limit = await reachedLimit(db, own);
  if (limit === undefined)
    return task.pendingReason === 'limit'
      ? [{ for: 'limit', why: task.reason ?? '', remedy: SOON, tasks: [] }]
      : [];
  const { rows } = await db.query<{ id: number }>(
    `select id from task where state = 'running'
       and $1 in ('source:' || source_name, 'account:' || account, 'project:' || project) order by id limit 20`,
    [limit.key],
  );
  return [
    {
      for: 'limit',
      why: limitText(limit),
      remedy: 'It begins when one of them ends, in its turn; or with a larger limit.',
      tasks: rows.map((row) => row.id),
    },
  ];
}
