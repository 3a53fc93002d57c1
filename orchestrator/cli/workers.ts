// `autocode worker list` and `worker start`.
import { resolve } from 'node:path';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { Worker } from '../../protocol/worker.ts';
import { adminTokenFile } from '../config/daemon-file.ts';
import { openDataDirectory } from '../config/data-directory.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { relativeTime } from './format.ts';
import { locateDaemon } from './locate.ts';
import { table } from './output.ts';
import { runPart } from './part.ts';
import { show } from './redraw.ts';
import { loadSettings } from './settings.ts';
import { styleOf } from './states.ts';

/** Lists workers. */
export async function listWorkers(args: GlobalArgs & { watch: boolean }): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get('/workers', z.array(Worker)), drawWorkers);
}

/** Workers as a table. */
export function drawWorkers(workers: Worker[]): string {
  if (workers.length === 0) return 'No workers. The daemon starts one here unless worker.local is false.';
  const troubles = workers.flatMap(({ name, trouble }) => (trouble === null ? [] : [`${name}: ${trouble}`]));
  return [drawTable(workers), ...troubles].join('\n');
}

function drawTable(workers: Worker[]): string {
  return table(workers, [
    { title: 'WORKER', value: (worker) => worker.name },
    {
      title: 'STATE',
      value: ({ state, draining }) => (draining ? `${state}, drained` : state),
      style: (worker) => styleOf(worker.state),
    },
    { title: 'RUNS', value: (worker) => `${worker.running}/${worker.capacity}`, align: 'right' },
    { title: 'MEMORY LEFT', value: memoryLeft, align: 'right' },
    { title: 'PLACED', value: (worker) => worker.placement },
    { title: 'LABELS', value: (worker) => worker.labels.join(', ') || '-' },
    { title: 'HOST', value: (worker) => worker.host },
    { title: 'VERSION', value: (worker) => worker.version },
    { title: 'ISOLATION', value: (worker) => worker.isolations.join(', ') },
    { title: 'PROJECT', value: ({ project }) => project ?? 'any' },
    { title: 'AGENTS', value: (worker) => worker.agents.map((agent) => agent.name).join(', ') || '-' },
    { title: 'SEEN', value: (worker) => relativeTime(worker.lastSeen) },
  ]);
}

function memoryLeft({ resources, reservedMib }: Worker): string {
  if (resources === null) return '-';
  const gib = [Math.max(0, resources.memoryMib - reservedMib), resources.memoryMib].map((mib) =>
    (mib / 1024).toFixed(1),
  );
  return `${gib.join('/')} GiB`;
}

/** Runs a worker here until it is told to stop; its settings are this machine's configuration and the options. */
export async function startWorker(
  args: GlobalArgs & {
    name: string | undefined;
    concurrency: number | undefined;
    project: string | undefined;
    dailyBudget: number | undefined;
    label: string[] | undefined;
    stateDir: string | undefined;
  },
): Promise<void> {
  const { config } = loadSettings(args);
  const target = locateDaemon(args);
  const directory = openDataDirectory(config.dataDir);
  const tokenFile = args.tokenFile ?? (target.local ? adminTokenFile(directory.root) : undefined);
  if (tokenFile === undefined) {
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      'A worker of a daemon elsewhere needs a file with its token.',
      {
        remedy:
          'Make one there with `autocode token create NAME --role worker`, and name the file with --token-file.',
      },
    );
  }
  const { project = config.worker.project, dailyBudget = config.worker.dailyBudget } = args;
  const flags = {
    url: target.url,
    'token-file': resolve(tokenFile),
    ...(target.caFile === undefined ? {} : { 'ca-file': resolve(target.caFile) }),
    name: args.name ?? config.worker.name,
    concurrency: String(args.concurrency ?? config.worker.concurrency),
    'state-dir': args.stateDir === undefined ? directory.path('worker') : resolve(args.stateDir),
    'tool-dir': directory.path('agents'),
    'log-dir': directory.path('logs/orchestrator'),
    'log-level': config.log.level,
    sandbox: JSON.stringify(config.sandbox),
    labels: (args.label ?? config.worker.labels).join(','),
    ...(project === undefined ? {} : { project }),
    ...(dailyBudget === undefined ? {} : { 'daily-budget': String(dailyBudget) }),
  };
  await runPart(
    'worker-agent/main.ts',
    Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
  );
}
