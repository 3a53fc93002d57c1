// Which tasks a worker may take: conditions over `task t join project p`. The claim picks a task by all of them at once, an
// explanation asks for each.

/** SQL for what a worker has: parameters of a claim, or columns of its row. */
interface WorkerSql {
  /** Names of agents, text[]. */
  agents: string;
  /** text[] */
  isolations: string;
  /** The only project that it works for; null: any. */
  project: string;
}

/** One condition for each thing that a task asks of a worker. */
export function fitOf({ agents, isolations, project }: WorkerSql) {
  return {
    agent: `(t.agent = 'command' or t.agent = any(${agents}))`,
    isolation: `p.isolation = any(${isolations})`,
    trust: `(p.trusted or p.isolation <> 'directory')`,
    project: `(${project} is null or p.name = ${project})`,
  };
}
