// `autocode worker show|drain|undrain|logs|stop`: one worker, wherever it is.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { FleetAllocation, FleetNode } from '../../../protocol/fleet.ts';
import { Run } from '../../../protocol/run.ts';
import { Worker } from '../../../protocol/worker.ts';
import { connect, type Client } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { printable, relativeTime } from '../format.ts';
import { block, paint, print, printJson, table } from '../output.ts';
import { memoryText, processorText } from '../run/sandbox.ts';
import { styleOf } from '../states.ts';

type WorkerArgs = GlobalArgs & { name: string };

const RUNS = 10;
const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Shows a worker with its allocation, its last runs and what their sandboxes use. */
export async function showWorker(args: WorkerArgs): Promise<void> {
  const client = connect(args);
  const worker = await findWorker(client, args.name);
  const runs = await client.get('/runs', z.array(Run), { worker: worker.name, limit: RUNS });
  const allocation = await allocationOf(client, worker);
  if (args.json) return printJson({ ...worker, inNomad: allocation, runs });
  print(drawWorker(worker, allocation));
  const setAside = new Map(worker.runs.map(({ run, memoryMib }) => [run, memoryMib]));
  if (runs.length > 0)
    print(
      '',
      table(runs, [
        { title: 'RUN', value: ({ id }) => id },
        { title: 'STATE', value: ({ state }) => state, style: ({ state }) => styleOf(state) },
        { title: 'AGENT', value: ({ agent }) => agent },
        { title: 'MODEL', value: ({ model }) => model },
        { title: 'MEMORY', value: (run) => memoryText(run, setAside.get(run.id)), align: 'right' },
        { title: 'PROCESSORS', value: processorText, align: 'right' },
      ]),
    );
}

function drawWorker(worker: Worker, allocation: FleetAllocation | string | null): string {
  const { resources } = worker;
  const gib = (mib: number) => `${(mib / 1024).toFixed(1)} GiB`;
  return block([
    ['worker', worker.name],
    ['state', paint(styleOf(worker.state), worker.draining ? `${worker.state}, drained` : worker.state)],
    ['seen', relativeTime(worker.lastSeen)],
    ['host', worker.host],
    ['version', worker.version],
    ['placed', worker.placement],
    ['runs', `${worker.running} of ${worker.capacity}`],
    [
      'resources',
      resources &&
        `${gib(resources.memoryMib)} memory (${gib(worker.reservedMib)} set aside for runs), ${resources.cores} cores, ${gib(resources.diskMib)} of disk left`,
    ],
    ['labels', worker.labels.join(', ')],
    ['project', worker.project],
    [
      'agents',
      worker.agents.map(({ name, version }) => [name, version].filter(Boolean).join(' ')).join(', '),
    ],
    ['isolations', worker.isolations.join(', ')],
    ['trouble', worker.trouble],
    ['allocation', worker.allocation],
    [
      'in Nomad',
      typeof allocation === 'object' && allocation !== null ? drawAllocation(allocation) : allocation,
    ],
  ]);
}

function drawAllocation({ name, node, version, state, healthy, restarts, message }: FleetAllocation): string {
  const health = healthy === null ? '' : healthy ? ', healthy' : ', not healthy';
  const tried = restarts === 0 ? '' : `, restarted ${restarts} times`;
  return `${name} on ${node}, version ${version ?? '-'}: ${state}${health}${tried}\n${message}`;
}

/** Lets a worker take no runs; with --node moves everything away from its node in Nomad. */
export async function drainWorker(args: WorkerArgs & { node: boolean; deadline: string }): Promise<void> {
  const client = connect(args);
  const workers = await client.get('/workers', z.array(Worker));
  const isWorker = workers.some(({ name }) => name === args.name);
  if (isWorker && !args.node) {
    const worker = await client.send('PUT', `/workers/${args.name}/drain`, Worker);
    if (args.json) return printJson(worker);
    return print(
      `${worker.name} takes no runs. It has ${worker.running} still: see \`autocode worker show ${worker.name}\`.`,
    );
  }
  const node = await findNode(client, args.name, isWorker);
  const deadlineSeconds = secondsOf(args.deadline);
  const drained = await client.send('PUT', `/fleet/nodes/${node.id}/drain`, FleetNode, { deadlineSeconds });
  if (args.json) return printJson(drained);
  print(
    `Node ${drained.name} takes no allocations; those it has are moved within ${args.deadline}. Runs go on.`,
  );
}

/** The other way round. */
export async function undrainWorker(args: WorkerArgs & { node: boolean }): Promise<void> {
  const client = connect(args);
  const workers = await client.get('/workers', z.array(Worker));
  const isWorker = workers.some(({ name }) => name === args.name);
  if (isWorker && !args.node) {
    const worker = await client.send('DELETE', `/workers/${args.name}/drain`, Worker);
    return args.json ? printJson(worker) : print(`${worker.name} takes runs again.`);
  }
  const node = await findNode(client, args.name, isWorker);
  const back = await client.send('DELETE', `/fleet/nodes/${node.id}/drain`, FleetNode);
  if (args.json) return printJson(back);
  print(`Node ${back.name} takes allocations again.`);
}

/** Prints what a worker's claimer has written. */
export async function workerLogs(args: WorkerArgs & { follow: boolean; stderr: boolean }): Promise<void> {
  const client = connect(args);
  const id = await loggedAllocation(client, args.name);
  const stream = args.stderr ? 'stderr' : 'stdout';
  const pieces = await client.bytes(`/fleet/allocations/${id}/logs`, { stream, follow: args.follow });
  const text = new TextDecoder();
  for await (const piece of pieces) process.stdout.write(printable(text.decode(piece, { stream: true })));
}

/** Stops the allocation of a worker. */
export async function stopWorker(args: WorkerArgs): Promise<void> {
  const client = connect(args);
  const worker = await findWorker(client, args.name);
  const id = requireAllocation(worker, `sudo systemctl stop autocode-worker`);
  const stopped = await client.send('DELETE', `/fleet/allocations/${id}`, FleetAllocation);
  if (args.json) return printJson(stopped);
  const next =
    worker.placement === 'service' ? ' Nomad places another; for fewer workers deploy with --count.' : '';
  print(`${worker.name} is being stopped; its runs go on.${next}`);
}

async function findWorker(client: Client, name: string): Promise<Worker> {
  const workers = await client.get('/workers', z.array(Worker));
  const found = workers.find((worker) => worker.name === name);
  if (found !== undefined) return found;
  throw new AutocodeError('ERR_NOT_FOUND', `There is no worker ${name}.`, {
    remedy: `There are: ${workers.map((worker) => worker.name).join(', ') || 'none'}.`,
  });
}

// One that never came up is no worker yet: the newest of its VM, or the one whose id begins so.
async function loggedAllocation(client: Client, name: string): Promise<string> {
  const all = await client.get('/fleet/allocations', z.array(FleetAllocation));
  const found = all
    .filter(({ id, node, job }) => id.startsWith(name) || (node === name && !job.includes('/')))
    .sort((a, b) => b.since.localeCompare(a.since))[0];
  if (found !== undefined) return found.id;
  return requireAllocation(await findWorker(client, name), 'journalctl -u autocode-worker');
}

async function findNode(client: Client, name: string, isWorker: boolean): Promise<FleetNode> {
  const nodes = await client.get('/fleet/nodes', z.array(FleetNode));
  const found = nodes.filter((node) => node.name === name || node.id.startsWith(name));
  if (found.length === 1) return found[0]!;
  const what = isWorker ? 'node' : 'worker and no node';
  throw new AutocodeError('ERR_NOT_FOUND', `There is no ${what} ${name}.`, {
    remedy: `Nodes are: ${nodes.map((node) => node.name).join(', ') || 'none'}.`,
  });
}

// That Nomad is away is no reason to show nothing.
async function allocationOf(
  client: Client,
  { allocation }: Worker,
): Promise<FleetAllocation | string | null> {
  if (allocation === null) return null;
  try {
    return await client.get(`/fleet/allocations/${allocation}`, FleetAllocation);
  } catch (error) {
    if (error instanceof AutocodeError) return error.message;
    throw error;
  }
}

function requireAllocation({ name, host, allocation, placement }: Worker, instead: string): string {
  if (allocation !== null) return allocation;
  const where = placement === 'local' ? 'is started by the daemon' : `is a unit of ${host}`;
  throw new AutocodeError('ERR_STATE', `${name} is not in Nomad: it ${where}.`, {
    remedy:
      placement === 'local' ? 'Set worker.local to false and restart the daemon.' : `There: \`${instead}\`.`,
  });
}

function secondsOf(time: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(time) ?? [];
  if (count !== undefined && unit !== undefined) return Number(count) * SECONDS[unit]!;
  throw new AutocodeError('ERR_INVALID_INPUT', `"${time}" is no time.`, {
    remedy: 'Write it as 90s, 15m or 2h.',
  });
}
