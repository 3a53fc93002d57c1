// Tasks and runs as the API shows them: each answer is one query. Used by the API and, after a change, by this folder.
import type { Run, RunState } from '../../protocol/run.ts';
import type { Task, TaskState } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { getProject } from './projects.ts';
import { runNotFound } from './run-state.ts';
import { taskNotFound } from './task-state.ts';

const TASK = `select t.id, p.name as project, t.title, t.body, t.acceptance, t.target_files as "targetFiles", t.priority, t.kind,
    (select jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'baseBranch', tr.base_branch) order by tr.position)
      from task_repository tr join repository u on u.id = tr.repository where tr.task = t.id) as repositories, t.agent, t.model, t.limits, t.state, t.pending_reason as "pendingReason", t.reason, t.attempt,
    case when t.state = 'running' then t.id || '-' || t.attempt end as "currentRun",
    coalesce((select jsonb_agg(c.id order by c.id) from change c where c.task = t.id), '[]') as changes,
    t.source, t.class, t.source_name as "sourceName", t.account, (select own.incident from incident_task own where own.task = t.id) as incident, t.replay_of as "replayOf", t.approve_plan as "approvePlan", t.plan, t.plan_state as "planState", t.not_before as "notBefore", t.created_by as "createdBy", t.created_at as "createdAt", t.updated_at as "updatedAt",
    t.finished_at as "finishedAt"
  from task t join project p on p.id = t.project`;

const RUN = `select r.id, r.task, r.fence, r.state, r.cause, r.reason, r.worker, r.agent, r.agent_version as "agentVersion", r.model,
    r.isolation, case when r.environment_digest is not null
      then jsonb_build_object('name', r.environment, 'digest', r.environment_digest) end as environment, r.iterations, r.agent_tokens as "agentTokens", r.sandbox_usage as "sandboxUsage", r.report, r.plan, r.checks, r.findings,
    (select jsonb_build_object('calls', count(*), 'inputTokens', coalesce(sum(input_tokens), 0),
        'cachedTokens', coalesce(sum(cached_tokens), 0), 'outputTokens', coalesce(sum(output_tokens), 0),
        'costMicros', coalesce(sum(cost_micros), 0))
      from model_call m where m.run = r.id) as usage,
    (select coalesce(jsonb_agg(jsonb_build_object('stream', stream, 'bytes', bytes, 'sha256', sha256, 'state', state) order by stream), '[]')
      from log_stream l where l.run = r.id) as logs,
    (select jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'baseCommit', rr.base_commit, 'headCommit', rr.head_commit)
        order by tr.position)
      from task_repository tr join repository u on u.id = tr.repository
      left join run_repository rr on rr.run = r.id and rr.repository = u.id where tr.task = r.task) as repositories,
    r.lease_until as "leaseUntil", r.deadline, r.created_at as "createdAt", r.finished_at as "finishedAt"
  from run r`;

type Dated<T, K extends keyof T> = Omit<T, K> & { [key in K]: T[key] extends string ? Date : Date | null };
type TaskRow = Dated<Task, 'notBefore' | 'createdAt' | 'updatedAt' | 'finishedAt'>;
type RunRow = Dated<Run, 'leaseUntil' | 'deadline' | 'createdAt' | 'finishedAt'>;

/** A task; ERR_NOT_FOUND. */
export async function getTask(db: Queryable, task: number): Promise<Task> {
  const { rows } = await db.query<TaskRow>(`${TASK} where t.id = $1`, [task]);
  if (rows[0] === undefined) throw taskNotFound(task);
  return shownTask(rows[0]);
}

/** Tasks, newest first; `before` is the number of the last one seen. */
export async function listTasks(
  db: Queryable,
  want: {
    state?: TaskState | undefined;
    project?: string | undefined;
    projects?: number[] | undefined;
    limit: number;
    before?: number | undefined;
  },
): Promise<Task[]> {
  const { where, values } = conditions([
    ['t.state = ', want.state],
    ['t.project = (select id from project where name = ', want.project, ')'],
    ['t.project = any(', want.projects, ')'],
    ['t.id < ', want.before],
  ]);
  values.push(want.limit);
  const { rows } = await db.query<TaskRow>(
    `${TASK} ${where} order by t.id desc limit $${values.length}`,
    values,
  );
  if (rows.length === 0 && want.project !== undefined && want.projects === undefined)
    await getProject(db, want.project); // tells an unknown name
  return rows.map(shownTask);
}

/** A run with what it used and how long its logs are; ERR_NOT_FOUND. */
export async function getRun(db: Queryable, run: string): Promise<Run> {
  const { rows } = await db.query<RunRow>(`${RUN} where r.id = $1`, [run]);
  if (rows[0] === undefined) throw runNotFound(run);
  return shownRun(rows[0]);
}

/** Whether a run works on the repository. */
export async function runWorksOn(db: Queryable, run: string, repository: number): Promise<boolean> {
  const { rowCount } = await db.query(
    'select from run r join task_repository t on t.task = r.task where r.id = $1 and t.repository = $2',
    [run, repository],
  );
  return rowCount === 1;
}

/** Runs, those of the newest task first; `before` is the id of the last one seen. */
export async function listRuns(
  db: Queryable,
  want: {
    task?: number | undefined;
    state?: RunState | undefined;
    worker?: string | undefined;
    projects?: number[] | undefined;
    limit: number;
    before?: string | undefined;
  },
): Promise<Run[]> {
  const { where, values } = conditions([
    ['r.task = ', want.task],
    ['r.state = ', want.state],
    ['r.worker = ', want.worker],
    ['r.task in (select id from task where project = any(', want.projects, '))'],
    ['(r.task, r.fence) < (select task, fence from run where id = ', want.before, ')'],
  ]);
  values.push(want.limit);
  const { rows } = await db.query<RunRow>(
    `${RUN} ${where} order by r.task desc, r.fence desc limit $${values.length}`,
    values,
  );
  return rows.map(shownRun);
}

function conditions(wanted: [text: string, value: unknown, close?: string][]): {
  where: string;
  values: unknown[];
} {
  const values: unknown[] = [];
  const texts = wanted
    .filter(([, value]) => value !== undefined)
    .map(([text, value, close = '']) => `${text}$${values.push(value)}${close}`);
  return { where: texts.length === 0 ? '' : `where ${texts.join(' and ')}`, values };
}

function shownTask(row: TaskRow): Task {
  return {
    ...row,
    notBefore: row.notBefore?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}

function shownRun(row: RunRow): Run {
  return {
    ...row,
    leaseUntil: row.leaseUntil?.toISOString() ?? null,
    deadline: row.deadline.toISOString(),
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}
