// The workers as one task sees them: what each has of what the task asks for, and why it has no room. Used by explain-workers.ts.
import type { RunNeeds } from '../config/placement-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { LEASED_STATES } from './run-state.ts';
import { fitOf, IS_SPENT, memoryNeed, usageOf } from './worker-fit.ts';

export type Condition = keyof ReturnType<typeof fitOf>;

export interface Candidate extends Record<Condition, boolean> {
  name: string;
  online: boolean;
  draining: boolean;
  capacity: number;
  running: number;
  /** Runs of all workers of its host; memory and cores count for all of them. */
  onHost: number;
  /** Null where the worker does not say. */
  memoryMib: number | null;
  reservedMib: number;
  cores: number | null;
  diskMib: number | null;
  /** What the task asks for. */
  wanted: {
    agent: string;
    isolation: string;
    project: string;
    placement: string;
    labels: string[];
    memoryMib: number;
  };
}

/** All workers that may take a run yet, by name. */
export async function candidates(db: Queryable, task: number, needs: RunNeeds): Promise<Candidate[]> {
  const conditions = Object.entries(
    fitOf({
      agents: `array(select each ->> 'name' from jsonb_array_elements(w.agents) each)`,
      isolations: 'array(select jsonb_array_elements_text(w.isolations))',
      project: 'w.project',
      placement: 'w.placement',
      labels: 'w.labels',
    }),
  );
  const { rows } = await db.query<Candidate>(
    `select w.name, w.state = 'online' as online, w.draining, w.capacity, had.*,
       w.memory_mib as "memoryMib", w.cores, w.disk_mib as "diskMib",
       ${conditions.map(([name, condition]) => `${condition} as ${name}`).join(', ')},
       jsonb_build_object('agent', t.agent, 'isolation', p.isolation, 'project', p.name, 'placement', p.placement,
         'labels', p.worker_labels, 'memoryMib', ${memoryNeed('$3::jsonb')}) as wanted
     from task t join project p on p.id = t.project cross join worker w
       cross join lateral (${usageOf('$2')}) had
     where t.id = $1 and not ${IS_SPENT} order by w.name`,
    [task, LEASED_STATES, JSON.stringify(needs.memoryMib)],
  );
  return rows;
}

/** Whether it could take the task if it had room. */
export function isAble(worker: Candidate): boolean {
  const { agent, isolation, trust, project, placement, labels } = worker;
  return agent && isolation && trust && project && placement && labels;
}

/** Why the worker takes no other run now, as far as its room goes; undefined when it would. */
export function fullness(worker: Candidate, needs: RunNeeds): string | undefined {
  const { name, capacity, running, onHost, cores, diskMib, memoryMib, reservedMib, wanted } = worker;
  if (worker.draining) return `${name} is drained`;
  if (running >= capacity) return `${name} (${running} of ${capacity} runs)`;
  if (memoryMib !== null && memoryMib - reservedMib < wanted.memoryMib)
    return `${name} has ${gib(Math.max(0, memoryMib - reservedMib))} of ${gib(memoryMib)} GiB memory left, ${wanted.agent} needs ${gib(wanted.memoryMib)}`;
  if (cores !== null && (onHost + 1) * needs.cores > cores) {
    const left = Math.max(0, cores - onHost * needs.cores);
    return `${name} has ${round(left)} of ${cores} cores left, a run needs ${needs.cores}`;
  }
  if (diskMib !== null && diskMib < needs.diskFreeMib)
    return `${name} has ${gib(diskMib)} GiB of disk left, runs begin with ${gib(needs.diskFreeMib)} or more`;
  return undefined;
}

const round = (value: number) => Math.floor(value * 100) / 100;
const gib = (mib: number) => round(mib / 1024);
