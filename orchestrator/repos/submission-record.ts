// What submission reads and writes of the database: the run with all that its pull request tells, and the change.
import type { Check, Plan, Usage } from '../../protocol/run.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';

export interface Submission {
  run: string;
  task: number;
  project: number;
  repository: number;
  origin: string;
  forge: string;
  baseBranch: string;
  baseCommit: string;
  headCommit: string;
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
  /** The task's change from an earlier run. */
  change: { branch: string; headCommit: string } | null;
}

/** The run to submit, or undefined when it is not waiting for that (any more). */
export async function readSubmission(db: Queryable, run: string): Promise<Submission | undefined> {
  const { rows } = await db.query<Submission>(
    `select run.id as run, task.id as task, task.project, repository.id as repository, repository.origin, repository.forge,
            task.base_branch as "baseBranch", run.base_commit as "baseCommit", run.head_commit as "headCommit",
            task.title, task.body, task.acceptance, run.plan, run.checks, run.agent, run.agent_version as "agentVersion",
            run.model, run.iterations, project.reviewers, project.labels, project.draft, run.created_at as "createdAt",
            (select jsonb_build_object('calls', count(*), 'inputTokens', coalesce(sum(input_tokens), 0),
               'cachedTokens', coalesce(sum(cached_tokens), 0), 'outputTokens', coalesce(sum(output_tokens), 0),
               'costMicros', coalesce(sum(cost_micros), 0)) from model_call where model_call.run = run.id) as usage,
            (select jsonb_build_object('branch', branch, 'headCommit', head_commit) from change
              where change.task = task.id and change.repository = repository.id) as change
       from run join task on task.id = run.task join repository on repository.id = task.repository
       join project on project.id = task.project
      where run.id = $1 and run.state = 'submitting'`,
    [run],
  );
  return rows[0];
}

/** Records the change of a pushed branch: a task's second result updates the first one's change. */
export async function recordChange(
  tx: Queryable,
  submission: Submission,
  change: {
    branch: string;
    commit: string;
    body: string;
    number: number | null;
    url: string | null;
    notes: string[];
  },
): Promise<number> {
  const { task, repository, run, project, forge, baseBranch, baseCommit, title } = submission;
  const { rows } = await tx.query<{ id: number }>(
    `insert into change (task, repository, run, forge, branch, base_branch, base_commit, head_commit, title, body, state, number, url)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, $12)
     on conflict (task, repository) do update set run = excluded.run, branch = excluded.branch,
       base_branch = excluded.base_branch, base_commit = excluded.base_commit, head_commit = excluded.head_commit,
       title = excluded.title, body = excluded.body, state = 'open', number = excluded.number, url = excluded.url,
       forge_head = null, trouble = null, closed_at = null, updated_at = now()
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
      updated: submission.change !== null,
      ...(change.url === null ? {} : { url: change.url }),
      ...(change.notes.length === 0 ? {} : { notes: change.notes }),
    },
  });
  return id;
}
