// What is done to a fleet, one strike at a time: whom it hits, and how it is seen that the fleet has recovered from it. Used by
// fleet.ts.
import { setTimeout as delay } from 'node:timers/promises';
import type { Task } from '../../protocol/task.ts';
import type { Worker } from '../../protocol/worker.ts';
import { kill, pidsOf, signal } from '../e2e/faults/victims.ts';
import { CLAIMER, fileOf, RUNNER, SERVICE, type Fleet, type FleetVm } from '../support/fleet.ts';

/** Of a unit that systemd starts again. */
const RESTART_MS = 2000;
const SHORTEST_CUT_MS = 2000;
/** Longer than a lease, so that runs are lost and come back. */
const LONGEST_CUT_MS = 15_000;

/** Whether what was hit is of use again. */
type Recovered = () => Promise<boolean>;

export interface Strike {
  what: string;
  /** The same is not struck twice at a time. */
  target: string;
  /** Resolves when the fault is over, as far as it is not for the product to end it; undefined when nobody was there. */
  hit(): Promise<Recovered | undefined>;
}

/** Another one, as the numbers have it. */
export function nextStrike(fleet: Fleet, random: () => number): Strike {
  const one = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const kind = one(KINDS);
  const vm = one(fleet.vms);
  const share = random();
  const target = kind.single === true ? kind.what : `${kind.what} of ${vm.name.replace(/^.*-/, '')}`;
  return { what: kind.what, target, hit: async () => await kind.hit(fleet, vm, share) };
}

interface Kind {
  what: string;
  /** There is one for the whole fleet. */
  single?: true;
  /** `share`, from 0 to 1, chooses among several. */
  hit(fleet: Fleet, vm: FleetVm, share: number): Promise<Recovered | undefined>;
}

const KINDS: Kind[] = [
  {
    what: 'Nomad client',
    async hit({ cluster }, vm) {
      await vm.kill();
      await delay(RESTART_MS);
      await vm.start();
      return async () => await nodeAnswers(cluster, vm);
    },
  },
  {
    what: 'Nomad server',
    single: true,
    async hit({ cluster }) {
      await cluster.server.kill();
      await delay(RESTART_MS);
      await cluster.server.start();
      return async () => (await cluster.call('GET', 'nodes')).length === cluster.vms.length;
    },
  },
  {
    what: 'claimer',
    async hit(fleet, vm, share) {
      const pid = pick(vm.pidsOf(CLAIMER).filter(isOfService), share);
      if (!killed(pid)) return undefined;
      const since = Date.now();
      return async () => vm.pidsOf(CLAIMER).some(isOfService) && (await wasHeard(fleet, vm, since));
    },
  },
  {
    what: 'runner service',
    async hit(_, vm) {
      const [pid] = vm.pidsOf(SERVICE);
      if (!killed(pid)) return undefined;
      return async () => vm.pidsOf(SERVICE).some((each) => each !== pid) && (await vm.serves());
    },
  },
  {
    what: 'runner',
    async hit(fleet, vm, share) {
      const pid = pick(vm.pidsOf(RUNNER), share);
      const run = /\/runs\/(\d+-\d+)/.exec(fileOf(pid ?? 0, 'cmdline'))?.[1];
      return run !== undefined && killed(pid) ? async () => await isFollowed(fleet, run) : undefined;
    },
  },
  {
    what: 'agent',
    single: true, // on any VM: agents are at work for a small part of the time
    async hit(fleet, _, share) {
      const agents = fleet.vms.flatMap((vm) => vm.pids()).filter((each) => runOf(each) !== undefined);
      const pid = pick(agents, share);
      const run = runOf(pid ?? 0);
      return run !== undefined && killed(pid) ? async () => await isFollowed(fleet, run) : undefined;
    },
  },
  {
    what: 'orchestrator',
    single: true,
    async hit({ appliance }) {
      if (!kill('daemon', appliance.dataDir, 0)) return undefined;
      return async () => {
        await appliance.up(); // its start counts as recovery
        return await answers(appliance);
      };
    },
  },
  {
    what: 'PostgreSQL',
    single: true,
    async hit({ appliance }) {
      const [pid] = pidsOf('postgres', appliance.dataDir, 0);
      if (!killed(pid)) return undefined;
      return async () => pidsOf('postgres', appliance.dataDir, 0)[0] !== pid && (await answers(appliance));
    },
  },
  {
    what: 'network',
    async hit(fleet, vm, share) {
      await vm.cut();
      await delay(SHORTEST_CUT_MS + share * (LONGEST_CUT_MS - SHORTEST_CUT_MS));
      await vm.mend();
      return async () => (await nodeAnswers(fleet.cluster, vm)) && (await wasHeard(fleet, vm));
    },
  },
];

function pick(pids: number[], share: number): number | undefined {
  return pids[Math.floor(share * pids.length)];
}

function killed(pid: number | undefined): boolean {
  return pid !== undefined && signal([pid], 'SIGKILL');
}

// A dispatched claimer is not started again: its run goes on without it.
function isOfService(pid: number): boolean {
  return /(^|\0)AUTOCODE_WORKER_PLACEMENT=service\0/.test(fileOf(pid, 'environ'));
}

/** The run that a process in a sandbox belongs to. */
function runOf(pid: number): string | undefined {
  return /(?:^|\0)AUTOCODE_RUN=(\d+-\d+)\0/.exec(fileOf(pid, 'environ'))?.[1];
}

/** Nomad's server gets an answer from the client of a VM. */
async function nodeAnswers(cluster: Fleet['cluster'], vm: FleetVm): Promise<boolean> {
  const nodes: { ID: string; Name: string; Status: string }[] = await cluster.call('GET', 'nodes');
  const node = nodes.find(({ Name }) => Name === vm.name);
  if (node?.Status !== 'ready') return false;
  await cluster.call('GET', `client/stats?node_id=${node.ID}`);
  return true;
}

/** The VM's worker is online, and has asked for runs since then. */
async function wasHeard({ appliance }: Fleet, vm: FleetVm, since = 0): Promise<boolean> {
  const workers = await appliance.api<Worker[]>('GET', '/workers');
  const worker = workers.find(({ name }) => name === vm.name);
  return worker?.state === 'online' && Date.parse(worker.lastSeen) >= since;
}

async function answers(appliance: Fleet['appliance']): Promise<boolean> {
  await appliance.api('GET', '/workers');
  return true;
}

/** The task of a run has ended, or has another run. */
async function isFollowed({ appliance }: Fleet, run: string): Promise<boolean> {
  const task = Number(run.split('-')[0]);
  const { finishedAt } = await appliance.api<Task>('GET', `/tasks/${task}`);
  return finishedAt !== null || (await appliance.runs(task)).at(-1)?.id !== run;
}
