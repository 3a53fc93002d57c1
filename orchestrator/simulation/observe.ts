// What was decided in a simulation, read from the product's own tables and outbox: each task with what it waited for, each run,
// what became of each message. Times are in seconds from the beginning. Used by simulate.ts.
import type { Scenario } from '../../protocol/scenario.ts';
import type { Queryable } from '../db/connect.ts';

/** From this event on the database's clock was so many seconds ahead. */
export interface Jump {
  event: number;
  seconds: number;
}

export interface ObservedRun {
  run: string;
  task: string;
  project: string;
  kind: string;
  class: string;
  worker: string;
  state: string;
  cause: string;
  at: number;
  ended: number | null;
}

export interface ObservedTask {
  id: number;
  name: string;
  project: string;
  kind: string;
  class: string;
  source: string;
  account: string;
  priority: number;
  state: string;
  reason: string;
  came: number;
  began: number | null;
  ended: number | null;
  /** Seconds by what it waited for: `queue`, or the reason for which it was pending. */
  waited: Record<string, number>;
}

/** A row by the columns that expectations name. */
export type ObservedRow = Record<string, string | number | null>;

export interface Observed {
  /** Seconds that were played. */
  seconds: number;
  tasks: ObservedTask[];
  runs: ObservedRun[];
  messages: ObservedRow[];
  items: ObservedRow[];
  incidents: ObservedRow[];
  /** Most tasks that waited at a time. */
  longestQueue: number;
  /** Part of the workers' capacity that was used, until the last run ended. */
  utilisation: number;
}

interface EventRow {
  id: number;
  at: Date;
  kind: string;
  task: number;
  run: string | null;
  to: string | null;
  reason: string | null;
}

/** Reads all of it. */
export async function observe(
  db: Queryable,
  scenario: Scenario,
  { jumps, elapsed }: { jumps: Jump[]; elapsed: number },
): Promise<Observed> {
  const start = Date.parse(scenario.start);
  const secondsAt = ({ id, at }: Pick<EventRow, 'id' | 'at'>) =>
    (at.getTime() - start) / 1000 - jumps.findLast(({ event }) => event < id)!.seconds;
  const { rows: events } = await db.query<EventRow>(
    `select id, at, kind, task, run, data->>'to' as "to", data->>'pendingReason' as reason from event
     where kind in ('task.created', 'task.state', 'run.created', 'run.state') order by id`,
  );
  const told = events.map((event) => ({ ...event, at: secondsAt(event) }));
  const tasks = await observeTasks(db, told);
  const runs = await observeRuns(db, told);
  const capacity = scenario.workers.reduce((sum, worker) => sum + worker.count * worker.capacity, 0);
  const lastEnd = Math.max(0, ...runs.map(({ ended }) => ended ?? elapsed));
  const used = runs.reduce((sum, run) => sum + (run.ended ?? elapsed) - run.at, 0);
  return {
    seconds: elapsed,
    tasks,
    runs,
    messages: await rowsOf(
      db,
      `select task.title as task, project.name as project, author from task_message said
       join task on task.id = said.task join project on project.id = task.project order by said.created_at, said.task, said.number`,
    ),
    items: await rowsOf(
      db,
      `select item.title as name, item.source, item.verdict, item.reason, task.title as task
       from intake_item item left join task on task.id = item.task order by item.id`,
    ),
    incidents: await rowsOf(
      db,
      `select id, state, reopened, needs_person as "needsPerson",
         (select string_agg(account, ' ' order by account) from incident_account where incident = incident.id) as accounts,
         (select count(*)::int from incident_alarm where incident = incident.id) as alarms from incident order by id`,
    ),
    longestQueue: longestQueue(told),
    utilisation: lastEnd === 0 ? 0 : used / (capacity * lastEnd),
  };
}

type Told = Omit<EventRow, 'at'> & { at: number };

async function observeTasks(db: Queryable, events: Told[]): Promise<ObservedTask[]> {
  type Row = Omit<ObservedTask, 'came' | 'began' | 'ended' | 'waited'>;
  const { rows } = await db.query<Row>(
    `select task.id, title as name, project.name as project, kind, class, source_name as source, coalesce(account, '') as account, priority, state,
       coalesce(reason, '') as reason from task join project on project.id = task.project order by task.id`,
  );
  const byTask = Map.groupBy(events, ({ task }) => task);
  return rows.map((row) => ({ ...row, ...courseOf(byTask.get(row.id) ?? []) }));
}

// When it came, when its first run began, when it ended for the last time, and what it waited for between.
function courseOf(events: Told[]): Pick<ObservedTask, 'came' | 'began' | 'ended' | 'waited'> {
  const waited: Record<string, number> = {};
  let since = events[0]?.at ?? 0;
  let what: string | undefined = 'repository'; // as it is made
  let ended: number | null = null;
  for (const { kind, at, to, reason } of events) {
    if (kind !== 'task.state') continue;
    if (what !== undefined && at > since) waited[what] = (waited[what] ?? 0) + at - since;
    [since, ended] = [at, to === 'completed' || to === 'failed' || to === 'cancelled' ? at : null];
    what = to === 'queued' ? 'queue' : to === 'pending' ? reason! : undefined;
  }
  return {
    came: events[0]?.at ?? 0,
    began: events.find(({ kind }) => kind === 'run.created')?.at ?? null,
    ended,
    waited,
  };
}

async function observeRuns(db: Queryable, events: Told[]): Promise<ObservedRun[]> {
  const { rows } = await db.query<Omit<ObservedRun, 'at' | 'ended'> & { over: boolean }>(
    `select run.id as run, title as task, project.name as project, kind, class, worker, run.state, coalesce(cause, '') as cause,
       run.finished_at is not null as over
     from run join task on task.id = run.task join project on project.id = task.project order by run.created_at, run.id`,
  );
  const byRun = Map.groupBy(events, ({ run }) => run ?? '');
  const observed = rows.map(({ over, ...row }) => {
    const course = byRun.get(row.run) ?? [];
    return { ...row, at: course[0]!.at, ended: over ? course.at(-1)!.at : null, order: course[0]!.id };
  });
  return observed.toSorted((one, other) => one.order - other.order).map(({ order: _order, ...run }) => run);
}

function longestQueue(events: Told[]): number {
  const waiting = new Set<number>();
  let most = 0;
  for (const { kind, task, to } of events) {
    if (kind === 'task.created' || to === 'queued' || (kind === 'task.state' && to === 'pending'))
      waiting.add(task);
    else if (kind === 'task.state') waiting.delete(task);
    most = Math.max(most, waiting.size);
  }
  return most;
}

async function rowsOf(db: Queryable, query: string): Promise<ObservedRow[]> {
  return (await db.query<ObservedRow>(query)).rows;
}
