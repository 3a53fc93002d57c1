// Runs that work, in the database, with budgets of several scopes that never bind: whose model calls are measured.
import { setBudget } from '../../orchestrator/budget/budgets.ts';
import type { Payers } from '../../orchestrator/budget/payers.ts';
import type { Database } from '../../orchestrator/db/connect.ts';

export interface BenchRun {
  id: string;
  task: number;
  project: number;
  worker: string;
  payers: Payers;
}

const MUCH = 1e14;

/** Makes so many, ten a project. */
export async function makeRuns(db: Database, runs: number): Promise<BenchRun[]> {
  await db.query(`insert into project (name) select 'bench-' || i from generate_series(1, $1) i`, [
    Math.ceil(runs / 10),
  ]);
  await db.query(
    `insert into task (project, title, body, agent, model, state, order_key, attempt, created_by)
     select p.id, 'task', '', 'command', 'mock/bench', 'running', now(), 1, 'person-' || i % 7 from project p, generate_series(1, 10) i`,
  );
  await db.query(
    `insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline)
     select id || '-1', id, 1, 'working', 'worker-' || id % 4, gen_random_uuid(), agent, model, 'directory', now() + interval '1 day' from task`,
  );
  const budgets = [
    { scope: 'appliance', subject: '', period: 'day', unit: 'money' },
    { scope: 'project', subject: '*', period: 'month', unit: 'money' },
    { scope: 'person', subject: '*', period: 'week', unit: 'money' },
    { scope: 'run', subject: '*', period: 'total', unit: 'tokens' },
  ] as const;
  for (const budget of budgets) await setBudget(db, { ...budget, amount: MUCH }, 'bench');
  const { rows } = await db.query<BenchRun & { project_name: string; agent: string; person: string }>(
    `select run.id, run.task, run.worker, run.agent, task.project, task.created_by as person, project.name as project_name
     from run join task on task.id = run.task join project on project.id = task.project order by run.task limit $1`,
    [runs],
  );
  return rows.map(({ id, task, project, worker, agent, person, project_name }) => ({
    id,
    task,
    project,
    worker,
    payers: { appliance: '', project: project_name, worker, agent, person, task: String(task), run: id },
  }));
}
