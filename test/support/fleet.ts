// A whole fleet: a real Nomad with VMs, a runner service on each, an orchestrator over TLS, and workers by `worker deploy` in both
// modes. Used by `scripts/bench fleet` and `scripts/chaos fleet`. Needs root.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, startAppliance, type Appliance } from '../e2e/appliance.ts';
import { startNomad, type Cluster, type ClusterNode } from './nomad.ts';
import { freePorts } from './ports.ts';

const ROOT = path.join(import.meta.dirname, '../..');
/** Whom Nomad runs the tasks as; root it refuses. */
const NOBODY = 65534;
/** As the unit does after a while, but sooner. */
const RESTART_MS = 1000;

export interface FleetVm extends ClusterNode {
  /** Of its runner service. */
  stateDir: string;
  /** All that runs on it, as seen from here. */
  pids(): number[];
  /** Those that run a program of the checkout. */
  pidsOf(program: string): number[];
  /** Whether its runner service can be reached. */
  serves(): Promise<boolean>;
}

export interface Fleet {
  cluster: Cluster;
  appliance: Appliance;
  vms: FleetVm[];
  [Symbol.asyncDispose](): Promise<void>;
}

export const CLAIMER = 'worker-agent/main.ts';
export const SERVICE = 'worker-agent/runner-service/main.ts';
export const RUNNER = 'worker-agent/runner/main.ts';

/** Starts one of so many VMs, each with a worker that takes two runs; further settings are of the orchestrator. */
export async function startFleet(count: number, ...settings: string[]): Promise<Fleet> {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-fleet-')));
  const stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  try {
    const cluster = stack.use(
      await startNomad({
        clients: count,
        volumes: (vm) => ({ 'autocode-runner': socketsOf(path.join(directory, vm)) }),
      }),
    );
    const [port, gatewayPort] = await freePorts(2);
    const appliance = stack.use(
      await startAppliance(
        'worker.local=false',
        `tls.host=${cluster.host}`,
        `tls.names=["${cluster.host}"]`,
        `tls.port=${port}`,
        `tls.gatewayPort=${gatewayPort}`,
        `nomad.address=${cluster.address}`,
        `nomad.caFile=${cluster.caFile}`,
        'nomad.worker.cores=1',
        'nomad.worker.memoryMib=512',
        'nomad.worker.user=nobody',
        'placement.dispatch.max=4',
        ...settings,
      ),
    );
    await appliance.api('PUT', '/secrets/nomad-token', { value: cluster.token });
    const authority = path.join(directory, 'ca.crt');
    const { certificate } = await appliance.api<{ certificate: string }>('GET', '/certificate-authority');
    writeFileSync(authority, certificate);
    const url = `https://${cluster.host}:${port}`;
    const vms = cluster.vms.map((vm) => {
      const own = path.join(directory, vm.name);
      const service = keepRunnerService(vm, own, { url, authority });
      stack.defer(service.end);
      return fleetVm(vm, own);
    });
    for (const vm of vms) await eventually(async () => (await vm.serves()) || undefined, 'a runner service');
    const words = ['--agent', 'command', '--yes'];
    await appliance.autocode('worker', 'deploy', '--count', String(count), ...words);
    await appliance.autocode('worker', 'deploy', '--mode', 'dispatch', ...words);
    const owned = stack.move();
    return { cluster, appliance, vms, [Symbol.asyncDispose]: async () => await owned.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** The directory of a VM's socket: what is made in it belongs to the group of Nomad's task. */
function socketsOf(own: string): string {
  const sockets = path.join(own, 'runner');
  mkdirSync(path.join(sockets, 'compile'), { recursive: true });
  chownSync(path.join(sockets, 'compile'), NOBODY, NOBODY);
  chownSync(sockets, 0, NOBODY);
  chmodSync(sockets, 0o2775);
  return sockets;
}

/** Runs the service of a VM, again whenever it ends, as its unit does. */
function keepRunnerService(
  vm: ClusterNode,
  own: string,
  { url, authority }: { url: string; authority: string },
): { end(): void } {
  const socket = path.join(own, 'runner/socket');
  const places = { 'state-dir': `${own}/state`, 'tool-dir': `${own}/tools`, 'log-dir': `${own}/logs` };
  const flags = { url, socket, ...places, 'ca-file': authority, workspace: '{"overlay":false}' };
  const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  // Names of sockets are short, and its own: VMs share the file system here.
  const runtime = `/tmp/${vm.name}`;
  const env = {
    PATH: process.env.PATH,
    HOME: own,
    XDG_RUNTIME_DIR: runtime,
    NODE_COMPILE_CACHE: `${own}/compile`,
  };
  mkdirSync(runtime, { mode: 0o700 });
  let child: ChildProcess | undefined;
  let ended = false;
  const keep = async () => {
    while (!ended) {
      child = vm.spawn(process.execPath, ['--max-semi-space-size=1', path.join(ROOT, SERVICE), ...words], {
        env,
        stdio: ['ignore', 'ignore', 'ignore'],
      });
      await once(child, 'exit');
      await delay(RESTART_MS);
    }
  };
  void keep();
  return {
    end() {
      ended = true;
      child?.kill('SIGKILL');
      rmSync(runtime, { recursive: true, force: true });
    },
  };
}

function fleetVm(vm: ClusterNode, own: string): FleetVm {
  const pids = () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && `${fileOf(Number(name), 'cgroup')}/`.includes(`/${vm.name}`))
      .map(Number);
  return {
    ...vm,
    stateDir: path.join(own, 'state'),
    pids,
    pidsOf: (program) => pids().filter((pid) => isProgram(pid, program)),
    async serves() {
      const connection = createConnection(path.join(own, 'runner/socket'));
      const reached = await once(connection, 'connect').then(
        () => true,
        () => false,
      );
      connection.destroy();
      return reached;
    },
  };
}

function isProgram(pid: number, program: string): boolean {
  const [node = '', ...words] = fileOf(pid, 'cmdline').split('\0');
  return node.endsWith('/node') && words.some((word) => word.endsWith(`/${program}`));
}

/** A file of a process in /proc; empty when it has ended. */
export function fileOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
