// A whole fleet: a real Nomad with VMs, a runner service on each, an orchestrator over TLS, and workers by `worker deploy` in both
// modes. Used by `scripts/bench fleet` and `scripts/chaos fleet`; parts of it by nomad-deploy.test.ts. Needs root.
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
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, OWN_POSTGRES, startAppliance, type Appliance } from '../e2e/appliance.ts';
import { startNomad, type Cluster, type ClusterNode, type ClusterOptions } from './nomad.ts';
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
  const starting = (async () => {
    const cluster = stack.use(await startNomad({ clients: count, volumes: volumesIn(directory) }));
    const { given, url } = await settingsFor(cluster);
    const appliance = stack.use(
      await startAppliance(OWN_POSTGRES, ...given, 'placement.dispatch.max=4', ...settings),
    );
    await appliance.api('PUT', '/secrets/nomad-token', { value: cluster.token });
    const authority = await authorityOf(appliance, directory);
    const vms = cluster.vms.map((vm) => {
      stack.use(keepRunnerService(vm, directory, { url, authority }));
      return fleetVm(vm, path.join(directory, vm.name));
    });
    for (const vm of vms) await eventually(async () => (await vm.serves()) || undefined, 'a runner service');
    const words = ['--agent', 'command', '--yes'];
    await appliance.autocode('worker', 'deploy', '--count', String(count), ...words);
    await appliance.autocode('worker', 'deploy', '--mode', 'dispatch', ...words);
    return { cluster, appliance, vms };
  })();
  let down: Promise<void> | undefined;
  const takeDown = async () => await (down ??= stack.disposeAsync()); // a stack is waited for by the first alone
  const unheed = endWhenTold(async () => {
    await starting.catch(() => {});
    await takeDown();
  });
  stack.defer(unheed);
  try {
    return { ...(await starting), [Symbol.asyncDispose]: takeDown };
  } catch (error) {
    await takeDown();
    throw error;
  }
}

/**
 * Takes all down when this program is told to end: daemon and database would outlive it. Told again, it ends at once. Answers
 * how to end that.
 */
function endWhenTold(takeDown: () => Promise<void>): () => void {
  const end = async (signal: 'SIGINT' | 'SIGTERM') => {
    console.error(`${signal}: taking the fleet down`);
    await takeDown().catch((error: Error) => console.error(error.message));
    process.exit(128 + constants.signals[signal]);
  };
  const listener = (signal: 'SIGINT' | 'SIGTERM') => void end(signal);
  process.once('SIGINT', listener).once('SIGTERM', listener);
  return () => void process.off('SIGINT', listener).off('SIGTERM', listener);
}

/** Settings of an orchestrator whose workers are on a cluster, and its address for them. */
export async function settingsFor({
  host,
  address,
  caFile,
}: Cluster): Promise<{ given: string[]; url: string }> {
  const [port, gatewayPort] = await freePorts(2);
  const given = [
    'worker.local=false',
    `tls.host=${host}`,
    `tls.names=["${host}"]`,
    `tls.port=${port}`,
    `tls.gatewayPort=${gatewayPort}`,
    `nomad.address=${address}`,
    `nomad.caFile=${caFile}`,
    'nomad.worker.cores=1',
    'nomad.worker.memoryMib=512',
    'nomad.worker.user=nobody',
  ];
  return { given, url: `https://${host}:${port}` };
}

/** Puts the authority that workers trust at an orchestrator into a file. */
export async function authorityOf({ api }: Appliance, directory: string): Promise<string> {
  const file = path.join(directory, 'ca.crt');
  const { certificate } = await api<{ certificate: string }>('GET', '/certificate-authority');
  writeFileSync(file, certificate);
  return file;
}

/** The directories of sockets, one for each VM: what is made in one belongs to the group of Nomad's task. */
export function volumesIn(directory: string): NonNullable<ClusterOptions['volumes']> {
  return (vm) => {
    const sockets = path.join(directory, vm, 'runner');
    mkdirSync(path.join(sockets, 'compile'), { recursive: true });
    chownSync(path.join(sockets, 'compile'), NOBODY, NOBODY);
    chownSync(sockets, 0, NOBODY);
    chmodSync(sockets, 0o2775);
    return { 'autocode-runner': sockets };
  };
}

/** Runs the service of a VM, again whenever it ends, as its unit does. */
export function keepRunnerService(
  vm: ClusterNode,
  directory: string,
  { url, authority }: { url: string; authority: string },
): Disposable {
  const own = path.join(directory, vm.name);
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
    [Symbol.dispose]() {
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
