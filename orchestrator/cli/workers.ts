// `autocode worker list` and `worker start`.
import { z } from 'zod';
import { Worker } from '../../protocol/worker.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { relativeTime } from './format.ts';
import { table } from './output.ts';
import { show } from './redraw.ts';
import { styleOf } from './states.ts';

/** Lists workers. */
export async function listWorkers(args: GlobalArgs & { watch: boolean }): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get('/workers', z.array(Worker)), drawWorkers);
}

/** Workers as a table. */
export function drawWorkers(workers: Worker[]): string {
  if (workers.length === 0) return 'No workers. The daemon starts one here unless worker.local is false.';
  return table(workers, [
    { title: 'WORKER', value: (worker) => worker.name },
    { title: 'STATE', value: (worker) => worker.state, style: (worker) => styleOf(worker.state) },
    { title: 'RUNS', value: (worker) => `${worker.running}/${worker.capacity}`, align: 'right' },
    { title: 'HOST', value: (worker) => worker.host },
    { title: 'VERSION', value: (worker) => worker.version },
    { title: 'AGENTS', value: (worker) => worker.agents.map((agent) => agent.name).join(', ') || '-' },
    { title: 'SEEN', value: (worker) => relativeTime(worker.lastSeen) },
  ]);
}
