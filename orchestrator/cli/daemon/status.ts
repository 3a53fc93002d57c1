// `autocode status`.
import { Status } from '../../../protocol/status.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { bytes, relativeTime } from '../format.ts';
import { block, paint, table } from '../output.ts';
import { show } from '../redraw.ts';
import { styleOf } from '../states.ts';
import { drawWorkers } from '../workers.ts';

/** Shows how the daemon, its parts, queue and workers are. */
export async function status(args: GlobalArgs & { watch: boolean }): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get('/status', Status), drawStatus);
}

function drawStatus(status: Status): string {
  const summary = block([
    [
      'autocode',
      `${status.version}, up since ${relativeTime(status.startedAt)} (pid ${status.pid}, ${bytes(status.memoryBytes)})`,
    ],
    ['roles', status.roles.join(', ')],
    ['api', status.apiUrl],
    ['gateway', status.gatewayUrl],
    ['data', `${status.dataDir}, ${bytes(status.disk.freeBytes)} of ${bytes(status.disk.totalBytes)} free`],
    ['tasks', counts(status.tasks)],
    ['runs', counts(status.runs)],
  ]);
  const parts = table(status.parts, [
    { title: 'PART', value: (part) => part.name },
    { title: 'STATE', value: (part) => part.state, style: (part) => styleOf(part.state) },
    { title: 'DETAIL', value: (part) => part.detail },
  ]);
  return [summary, parts, drawWorkers(status.workers)].join('\n\n');
}

function counts(byState: Record<string, number>): string {
  const present = Object.entries(byState).filter(([, number]) => number > 0);
  return present.map(([state, number]) => paint(styleOf(state), `${number} ${state}`)).join(', ') || 'none';
}
