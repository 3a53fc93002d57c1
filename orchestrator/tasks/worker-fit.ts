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
  placement: string;
  /** text[] */
  labels: string;
}

/** One condition for each thing that a task asks of a worker. */
export function fitOf({ agents, isolations, project, placement, labels }: WorkerSql) {
  return {
    agent: `(t.agent = 'command' or t.agent = any(${agents}))`,
    isolation: `p.isolation = any(${isolations})`,
    trust: `(p.trusted or p.isolation <> 'directory')`,
    project: `(${project} is null or p.name = ${project})`,
    placement: `p.placement in ('any', ${placement})`,
    labels: `p.worker_labels <@ ${labels}`,
  };
}

/** MiB that a run of the task needs; `needs` is SQL for a jsonb of them by agent, `*` for all others. */
export function memoryNeed(needs: string): string {
  return `coalesce(p.run_memory_mib, (${needs} ->> t.agent)::int, (${needs} ->> '*')::int)`;
}

/**
 * What the live runs of worker `w` and of all workers on its host take: `running`, `"onHost"`, `"reservedMib"`. Memory and cores
 * are the host's: dispatched workers stand beside others there.
 */
export function usageOf(states: string): string {
  return `select count(*) filter (where r.worker = w.name)::int as running, count(*)::int as "onHost",
      coalesce(sum(r.memory_mib), 0)::int as "reservedMib"
    from run r join worker other on other.name = r.worker where other.host = w.host and r.state = any(${states})`;
}

/** Holds for a dispatched worker `w` that has had the one run it takes; it is in the list until it was not heard of for a while. */
export const IS_SPENT = `(w.placement = 'dispatch' and exists (select from run had where had.worker = w.name))`;
