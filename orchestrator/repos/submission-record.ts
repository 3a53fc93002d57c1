// What submission reads and writes of the database: the run with all that its pull request tells, and the change.
import type { Change } from '../../protocol/change.ts';
import type { Check, Plan, Usage } from '../../protocol/run.ts';
import type { TaskSource } from '../../protocol/task-source.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import type { MarkedSetting } from '../tasks/known-file.ts';
import type { Below } from './base.ts';

export interface Submission {
  run: string;
  task: number;
  project: number;
  title: string;
  body: string;
  acceptance: string[];
  plan: Plan | null;
  checks: Check[];
  agent: string;
  agentVersion: string | null;
  model: string;
  iterations: number;
  usage: Usage;
  createdAt: Date;
  reviewers: string[];
  labels: string[];
  draft: boolean;
  /** Why it was refused, when a try before has found that; what is open already is then closed. */
  refused: string | null;
  source: TaskSource | null;
  results: Result[];
}

/** What the run has pushed in one of its repositories. */
export interface Result {
  repository: number;
  name: string;
  origin: string;
  forge: string;
  baseBranch: string;
  baseCommit: string;
  headCommit: string;
  /** The task's change there, of an earlier run or, after a crash, of this one. */
  change: RecordedChange | null;
  /** The change of another task that it is built upon. */
  below: Below | null;
}

export interface RecordedChange {
  id: number;
  run: string;
  branch: string;
  headCommit: string;
  body: string;
  state: Change['state'];
  url: string | null;
}

// The project's own setting, else that of .autocode.yaml at the base, else the default.
function settled(name: MarkedSetting): string {
  return `coalesce(case when '${name}' <> all(project.explicit) then run.file->'${name}' end, to_jsonb(project.${name})) as ${name}`;
}

/** The run to submit, or undefined when it is not waiting for that (any more). */
export async function readSubmission(db: Queryable, run: string): Promise<Submission | undefined> {
  const { rows } = await db.query<Submission>(
    `select run.id as run, task.id as task, task.project, task.title, task.body, task.acceptance, run.plan, run.checks,
            run.agent, run.agent_version as "agentVersion", run.model, run.iterations, task.source, ${settled('reviewers')}, ${settled('labels')},
            ${settled('draft')}, run.created_at as "createdAt",
            (select jsonb_build_object('calls', count(*), 'inputTokens', coalesce(sum(input_tokens), 0),
               'cachedTokens', coalesce(sum(cached_tokens), 0), 'outputTokens', coalesce(sum(output_tokens), 0),
               'costMicros', coalesce(sum(cost_micros), 0)) from model_call where model_call.run = run.id) as usage,
            run.refused,
            (select coalesce(jsonb_agg(jsonb_build_object('repository', repository.id, 'name', repository.name,
                'origin', repository.origin, 'forge', repository.forge, 'baseBranch', own.base_branch,
                'baseCommit', pushed.base_commit, 'headCommit', pushed.head_commit,
                'change', (select jsonb_build_object('id', change.id, 'run', change.run, 'branch', change.branch,
                   'headCommit', change.head_commit, 'body', change.body, 'state', change.state, 'url', change.url) from change
                  where change.task = task.id and change.repository = repository.id),
                'below', (select jsonb_build_object('id', below.id, 'state', below.state, 'branch', below.branch, 'baseBranch', below.base_branch,
                   'headCommit', below.head_commit, 'url', below.url) from change below where below.id = pushed.onto)) order by own.position), '[]')
              from task_repository own join repository on repository.id = own.repository
              join run_repository pushed on pushed.run = run.id and pushed.repository = repository.id
                and pushed.base_commit is not null and pushed.head_commit is not null
              where own.task = task.id) as results
       from run join task on task.id = run.task join project on project.id = task.project
      where run.id = $1 and run.state = 'submitting'`,
    [run],
  );
  return rows[0];
}

/** Records the change of a pushed branch: a task's second result updates the first one's change. */
export async function recordChange(
  tx: Queryable,
  submission: Submission,
  result: Result,
  change: {
    branch: string;
    commit: string;
    body: string;
    number: number | null;
    url: string | null;
    notes: string[];
  },
): Promise<number> {
  const { task, run, project, title } = submission;
  const { repository, forge, baseBranch, baseCommit } = result;
  const { rows } = await tx.query<{ id: number }>(
    `insert into change (task, repository, run, forge, branch, base_branch, base_commit, head_commit, title, body, state, number, url, onto)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, $12, $13)
     on conflict (task, repository) do update set run = excluded.run, branch = excluded.branch,
       base_branch = excluded.base_branch, base_commit = excluded.base_commit, head_commit = excluded.head_commit,
       title = excluded.title, body = excluded.body, state = 'open', number = excluded.number, url = excluded.url, onto = excluded.onto,
       forge_head = null, trouble = null, mergeable = 'unknown', merge_reason = null, follow = null, resolving = false, look = nextval('change_look'), closed_at = null, updated_at = now()
     returning id`,
    [
      task,
      repository,
      run,
      forge,
      change.branch,
      baseBranch,
      baseCommit,
      change.commit,
      title,
      change.body,
      change.number,
      change.url,
      result.below?.id ?? null,
    ],
  );
  const id = rows[0]!.id;
  await emit(tx, {
    kind: 'change.opened',
    project,
    task,
    run,
    data: {
      change: id,
      branch: change.branch,
      commit: change.commit,
      updated: result.change !== null,
      ...(change.url === null ? {} : { url: change.url }),
      ...(change.notes.length === 0 ? {} : { notes: change.notes }),
    },
  });
  return id;
}

/** The run's changes that are open. */
export async function openChangesOf(
  db: Queryable,
  run: string,
): Promise<{ id: number; number: number | null }[]> {
  const { rows } = await db.query<{ id: number; number: number | null }>(
    `select id, number from change where run = $1 and state = 'open' order by id`,
    [run],
  );
  return rows;
}

/** Records that what a run brought was moved to where the change stands that it was built upon; `merged`: upon nothing open any more. */
export async function recordMove(
  db: Queryable,
  run: string,
  { repository, below }: Pick<Result, 'repository' | 'below'>,
  { base, head }: { base: string; head: string },
): Promise<void> {
  await db.query(
    'update run_repository set base_commit = $3, head_commit = $4, onto = $5 where run = $1 and repository = $2',
    [run, repository, base, head, below?.state === 'open' ? below.id : null],
  );
}
