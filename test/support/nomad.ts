// A real Nomad cluster for one test file: a server here and clients that each stand for a VM, with network, processes, mounts
// and host name of their own on a bridge: `await using cluster = await startNomad({ clients: 4 })`. TLS and ACLs are on.
// Whatever runs on a VM goes with it. Needs root; built by scripts/servers/nomad/build.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Agent, request } from 'undici';
import { chrootFor, startVm, type Vm } from './vm.ts';

const PROGRAM = join(import.meta.dirname, '../../.runtime/servers/nomad-1.11.3/nomad');
const CHECKOUT = join(import.meta.dirname, '../..');
const START_MS = 120_000;
const run = promisify(execFile);

export interface ClusterOptions {
  clients?: number;
  /** Directories of a VM that jobs may ask for, besides `autocode` (this checkout, at /opt/autocode, read only). */
  volumes?: (vm: string) => Record<string, string>;
  memoryMib?: number;
}

export interface ClusterNode extends Vm {
  /** Ends its Nomad client as a power cut would; tasks go on. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export interface Cluster {
  address: string;
  caFile: string;
  /** Of the ACL's management. */
  token: string;
  /** Address of this machine as the VMs reach it. */
  host: string;
  vms: ClusterNode[];
  server: { kill(): Promise<void>; start(): Promise<void> };
  /** A call of the API by the management; throws what is not a success. */
  call(method: string, path: string, body?: object): Promise<any>; // eslint-disable-line @typescript-eslint/no-explicit-any
  [Symbol.asyncDispose](): Promise<void>;
}

// Waits for the end of this process, or of its standard input, and takes away what is not gone with the VMs.
const CLEAR = `
shopt -s nullglob
read -r _
ip link del "$0"
for try in {1..300}; do
  groups=(/sys/fs/cgroup/"$0"-vm* /sys/fs/cgroup/*/"$0"-vm*)
  [[ \${#groups[@]} != 0 ]] || break
  find "\${groups[@]}" -depth -type d -exec rmdir {} + || sleep 0.1
done
rm -rf "$1"
`;

/** Starts a cluster whose clients are all ready: some seconds. */
export async function startNomad({
  clients = 4,
  volumes = () => ({}),
  memoryMib = 8192,
}: ClusterOptions = {}): Promise<Cluster> {
  const dir = await mkdtemp(join(tmpdir(), 'autocode-nomad-'));
  const name = `ac${randomBytes(3).toString('hex')}`;
  const network = freeNetwork();
  const host = `${network}.1`;
  const address = `https://${host}:4646`;
  const vms: ClusterNode[] = [];
  const server = supervise(
    () =>
      spawn('setpriv', ['--pdeathsig', 'KILL', PROGRAM, 'agent', '-config', join(dir, 'server/agent.hcl')], {
        stdio: 'ignore',
        env: {},
      }),
    killed,
  );
  const guard = spawn('bash', ['-c', CLEAR, name, dir], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const stop = async () => {
    await Promise.all(vms.map(async (vm) => await vm.end()));
    await server.kill();
    const cleared = once(guard, 'exit');
    guard.stdin.end();
    await cleared;
  };
  try {
    await run('ip', ['link', 'add', name, 'type', 'bridge']);
    await run('ip', ['addr', 'add', `${host}/24`, 'dev', name]);
    await run('ip', ['link', 'set', name, 'up']);
    const addresses = Array.from({ length: clients }, (_, index) => `${network}.${11 + index}`);
    const caFile = await makeCertificates(dir, host, addresses);
    await configure(join(dir, 'server'), serverConfiguration(dir, host));
    await server.start();

    const call = caller(address, await readFile(caFile, 'utf8'));
    await until('a leader', async () => String(await call('', 'GET', 'status/leader')).includes(':'));
    const { SecretID: token } = await until('the ACL', async () => await call('', 'POST', 'acl/bootstrap'));
    // A client that registers before there is a key tries again half a minute later.
    await until('a key', async () => (await call('', 'GET', '../.well-known/jwks.json')).keys.length > 0);
    const chroot = await chrootFor(PROGRAMS);
    for (const [index, ip] of addresses.entries()) {
      const vm = await startVm({
        name: `${name}-vm${index + 1}`,
        bridge: name,
        link: `${name}v${index}`,
        address: ip,
        gateway: host,
      });
      const start = () =>
        vm.spawn(PROGRAM, ['agent', '-config', join(dir, vm.name, 'agent.hcl')], { stdio: 'ignore' });
      const client = supervise(start, async (child) => await vm.signal(child, 'SIGKILL'));
      vms.push({ ...vm, ...client });
      const shared = { autocode: { path: CHECKOUT, readOnly: true } };
      const own = Object.entries(volumes(vm.name)).map(([key, path]) => [key, { path, readOnly: false }]);
      await configure(
        join(dir, vm.name),
        clientConfiguration({
          dir,
          host,
          vm,
          memoryMib,
          chroot,
          volumes: { ...shared, ...Object.fromEntries(own) },
        }),
      );
      await client.start();
    }
    await until('the clients', async () => {
      const nodes: { Status: string }[] = await call(token, 'GET', 'nodes');
      return nodes.filter(({ Status }) => Status === 'ready').length === clients;
    });
    return {
      address,
      caFile,
      token,
      host,
      vms,
      server,
      call: async (method, path, body) => await call(token, method, path, body),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    const logs = await Promise.all(
      ['server', ...vms.map((vm) => vm.name)].map(
        async (which) => await readFile(join(dir, which, 'log'), 'utf8').catch(() => ''),
      ),
    );
    await stop();
    throw new Error(`Nomad did not start:\n${logs.map((log) => log.slice(-1500)).join('\n')}`, {
      cause: error,
    });
  }
}

/** What tasks of `exec` find in their root. */
const PROGRAMS = [
  'sh',
  'bash',
  'env',
  'sleep',
  'cat',
  'echo',
  'ls',
  'id',
  'dirname',
  'readlink',
  'mkdir',
  'node',
];

function supervise(launch: () => ChildProcess, end: (child: ChildProcess) => Promise<void>) {
  let child: ChildProcess | undefined;
  return {
    start: async () => {
      child = launch();
      await once(child, 'spawn');
    },
    kill: async () => {
      if (child !== undefined && child.exitCode === null && child.signalCode === null) await end(child);
    },
  };
}

async function killed(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** The first three numbers of a private network that this machine has no address in. */
function freeNetwork(): string {
  const used = Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map(({ address }) => address),
  );
  for (;;) {
    const network = `10.${randomInt(192, 255)}.${randomInt(0, 256)}`;
    if (!used.some((address) => address.startsWith(`${network}.`))) return network;
  }
}

/** Certificates of an authority of its own in `dir`; the path of the authority's. */
async function makeCertificates(dir: string, host: string, clients: string[]): Promise<string> {
  const tls = async (...args: string[]) => await run(PROGRAM, ['tls', ...args], { cwd: dir, env: {} });
  await tls('ca', 'create');
  await tls('cert', 'create', '-server', '-region', 'global', `-additional-ipaddress=${host}`);
  await tls('cert', 'create', '-client', ...clients.map((address) => `-additional-ipaddress=${address}`));
  return join(dir, 'nomad-agent-ca.pem');
}

async function configure(directory: string, hcl: string): Promise<string> {
  await mkdir(join(directory, 'data'), { recursive: true });
  const file = join(directory, 'agent.hcl');
  await writeFile(file, hcl);
  return file;
}

function common(dir: string, name: string, address: string, certificate: string): string {
  return `name = "${name}"
datacenter = "dc1"
bind_addr = "${address}"
data_dir = "${join(dir, name, 'data')}"
log_file = "${join(dir, name, 'log')}"
log_level = "INFO"
disable_update_check = true
leave_on_interrupt = false
acl {
  enabled = true
}
tls {
  http = true
  rpc = true
  ca_file = "${join(dir, 'nomad-agent-ca.pem')}"
  cert_file = "${join(dir, `global-${certificate}-nomad.pem`)}"
  key_file = "${join(dir, `global-${certificate}-nomad-key.pem`)}"
  verify_server_hostname = true
}
`;
}

function serverConfiguration(dir: string, host: string): string {
  return `${common(dir, 'server', host, 'server')}
server {
  enabled = true
  bootstrap_expect = 1
  heartbeat_grace = "2s"
  min_heartbeat_ttl = "2s"
  max_heartbeats_per_second = 50
  default_scheduler_config {
    memory_oversubscription_enabled = true
  }
}
`;
}

interface ClientOptions {
  dir: string;
  host: string;
  vm: Vm;
  memoryMib: number;
  chroot: [file: string, inside: string][];
  volumes: Record<string, { path: string; readOnly: boolean }>;
}

function clientConfiguration({ dir, host, vm, memoryMib, chroot, volumes }: ClientOptions): string {
  // The same file may be in several places there, but Nomad wants its name once: a name more is a dot more.
  const links = chroot.map(([file, inside], index) => `    "${'/.'.repeat(index)}${file}" = "${inside}"`);
  const shared = Object.entries(volumes).map(
    ([name, { path, readOnly }]) =>
      `  host_volume "${name}" {\n    path = "${path}"\n    read_only = ${readOnly}\n  }`,
  );
  return `${common(dir, vm.name, vm.address, 'client')}
client {
  enabled = true
  servers = ["${host}:4647"]
  network_interface = "eth0"
  cgroup_parent = "${vm.name}"
  alloc_mounts_dir = "${join(dir, vm.name, 'mounts')}"
  memory_total_mb = ${memoryMib}
  cpu_total_compute = 64000
  max_kill_timeout = "2m"
  gc_interval = "1h"
  options {
    "fingerprint.denylist" = "env_aws,env_gce,env_azure,env_digitalocean,consul,vault,cni,bridge"
    "driver.denylist" = "docker,java,qemu"
  }
  chroot_env {
${links.join('\n')}
  }
${shared.join('\n')}
}
plugin "raw_exec" {
  config {
    enabled = true
  }
}
`;
}

function caller(address: string, ca: string) {
  const dispatcher = new Agent({ connect: { ca } });
  return async (token: string, method: string, path: string, body?: object) => {
    const answer = await request(new URL(path, `${address}/v1/`), {
      dispatcher,
      method: method as 'GET',
      headers: token === '' ? {} : { 'x-nomad-token': token },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 400)
      throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 500)}`);
    return text.startsWith('{') || text.startsWith('[') || text.startsWith('"') ? JSON.parse(text) : text;
  };
}

/** What `look` answers once it is true; what it throws counts as not yet. */
async function until<T>(what: string, look: () => Promise<T>): Promise<T> {
  let last: unknown;
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await delay(50)) {
    const found = await look().catch((error: unknown) => void (last = error));
    if (found) return found as T;
  }
  throw new Error(`${what} did not come`, { cause: last });
}
