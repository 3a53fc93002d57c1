// Why a worker under Nomad is two programs, on a real Nomad: in a task of its exec driver no sandbox can be made, and what such a
// task starts ends with it. A run that the task's claimer hands to the runner service of the VM has its sandbox and outlives the task.
import assert from 'node:assert/strict';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Change } from '../../protocol/change.ts';
import type { Task } from '../../protocol/task.ts';
import { eventually, makeRepository, processesOf, startAppliance, type Appliance } from '../e2e/appliance.ts';
import { startNomad, type Cluster } from '../support/nomad.ts';
import { freePorts } from '../support/ports.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const JOBS = path.join(ROOT, 'nomad/jobs');
/** Whom Nomad runs the tasks as; root it refuses. */
const NOBODY = 65534;
const CLAIMER = 'worker-agent/main.ts';
const SERVICE = 'worker-agent/runner-service/main.ts';
/** Waits in its sandbox for a file in its work tree. */
const AGENT =
  'echo interfaces: $(grep -c : /proc/net/dev); while [ ! -e go ]; do sleep 0.05; done; rm go; echo 42 > answer; echo done';
const FILES = { check: 'test "$(cat answer)" = 42\n', answer: '41\n' };

interface Scene {
  cluster: Cluster;
  appliance: Appliance;
  directory: string;
  stateDir: string;
}

test('workers as tasks of Nomad', { timeout: 280_000 }, async (t) => {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-claimer-')));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const sockets = path.join(directory, 'runner');
  mkdirSync(path.join(sockets, 'compile'), { recursive: true });
  chownSync(path.join(sockets, 'compile'), NOBODY, NOBODY);
  await using cluster = await startNomad({
    clients: 1,
    volumes: () => ({ 'autocode-runner': sockets, usr: '/usr' }),
  });
  const [api, gateway] = await freePorts(2);
  await using appliance = await startAppliance(
    'worker.local=false',
    `api.host=${cluster.host}`,
    `api.port=${api}`,
    `gateway.host=${cluster.host}`,
    `gateway.port=${gateway}`,
  );
  const url = `http://${cluster.host}:${api}`;
  const stateDir = path.join(directory, 'state');
  await startRunnerService(t, cluster, { directory, stateDir, socket: path.join(sockets, 'socket'), url });
  const { token } = await appliance.api<{ token: string }>('POST', '/tokens', { name: 'vm', role: 'worker' });
  for (const job of ['autocode-worker', 'autocode-run'])
    await cluster.call('PUT', `var/nomad/jobs/${job}`, { Items: { token, ca: '' } });
  const scene: Scene = { cluster, appliance, directory, stateDir };
  const repository = makeRepository(path.join(directory, 'sample'), FILES);
  await appliance.api('POST', '/projects', {
    name: 'sample',
    repository,
    trusted: true,
    isolation: 'bubblewrap',
    agent: 'command',
    agentCommand: ['sh', '-c', AGENT],
    verify: [{ name: 'test', command: 'sh ./check' }],
  });

  await t.test('in a task of the exec driver bubblewrap is refused', async () => {
    assert.match(await sandboxInTask(cluster), /^refused/m);
  });

  const deploy = async () =>
    await submit(scene, 'autocode-worker', `count = 1\nconcurrency = 1\ncores = 1\nurl = "${url}"`);
  await deploy();
  await t.test(
    'a run goes on in its sandbox when claimer and executor are killed, and ends once',
    async () => {
      const { task, run } = await begin(scene);
      const before = running(CLAIMER, scene);
      t.diagnostic(
        `idle claimer: ${memoryOf(before[0]!)}; runner service: ${memoryOf(running(SERVICE, scene)[0]!)}`,
      );
      for (const pid of [...before.map(parentOf), ...before]) process.kill(pid, 'SIGKILL');
      await eventually(
        async () => running(CLAIMER, scene).some((pid) => !before.includes(pid)) || undefined,
        'the next claimer',
      );
      await letGo(scene, task, run);
      const next = await begin(scene); // by the next claimer, which counts the first run until it has ended
      await letGo(scene, next.task, next.run);
    },
  );

  await t.test('a VM that was out of sight keeps its claimer, and a run goes on', async () => {
    const { task, run } = await begin(scene);
    const before = running(CLAIMER, scene);
    const [vm] = cluster.vms;
    const node = async () => (await cluster.call('GET', 'nodes'))[0].Status as string;
    await vm!.cut();
    await eventually(async () => (await node()) === 'disconnected' || undefined, 'the loss of the VM');
    await vm!.mend();
    await eventually(async () => {
      const all: { ClientStatus: string }[] = await cluster.call('GET', 'job/autocode-worker/allocations');
      const live = all.filter(({ ClientStatus }) => ClientStatus === 'running');
      return ((await node()) === 'ready' && live.length === 1) || undefined;
    }, 'the return of the VM');
    assert.deepEqual(running(CLAIMER, scene), before);
    await letGo(scene, task, run);
  });

  await t.test('a run whose orchestrator goes away works on, and what it said arrives', async () => {
    const { task, run } = await begin(scene);
    await appliance.autocode('down');
    writeFileSync(path.join(stateDir, 'runs', run, 'work/tree/go'), '');
    await eventually(
      async () =>
        readFileSync(path.join(stateDir, 'runs', run, 'raw.log'), 'utf8').includes('done') || undefined,
      'the agent to end',
    );
    await appliance.up();
    await isChanged(scene, task);
    assert.match(await appliance.autocode('run', 'logs', run, '--stream', 'raw'), /interfaces[^]*done/);
  });

  await t.test('a run goes on when its allocation is stopped', async () => {
    const { task, run } = await begin(scene);
    await cluster.call('DELETE', 'job/autocode-worker');
    await eventually(async () => running(CLAIMER, scene).length === 0 || undefined, 'the claimer to end');
    await letGo(scene, task, run);
  });

  await t.test('a dispatched allocation does one run and is complete', async () => {
    await submit(scene, 'autocode-run', `cores = 1\nurl = "${url}"`);
    const task = await appliance.task('sample');
    const other = await appliance.task('sample', 'another');
    const { DispatchedJobID: job } = await cluster.call('POST', 'job/autocode-run/dispatch', {
      Meta: { task: String(task) },
    });
    await letGo(scene, task, `${task}-1`);
    await eventually(async () => {
      const [allocation] = await cluster.call('GET', `job/${encodeURIComponent(job)}/allocations`);
      return allocation?.ClientStatus === 'complete' || undefined;
    }, 'the allocation to be complete');
    assert.equal((await appliance.api<Task>('GET', `/tasks/${other}`)).state, 'queued');
  });
});

/** Starts the service on the only VM, as its unit does; it ends with the VM. */
async function startRunnerService(
  t: TestContext,
  { vms }: Cluster,
  { directory, stateDir, socket, url }: { directory: string; stateDir: string; socket: string; url: string },
): Promise<void> {
  const places = { 'state-dir': stateDir, 'tool-dir': `${directory}/tools`, 'log-dir': `${directory}/logs` };
  const flags = { url, socket, ...places, workspace: '{"overlay":false}' };
  const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const program = path.join(ROOT, 'worker-agent/runner-service/main.ts');
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    NODE_COMPILE_CACHE: path.join(directory, 'compile'),
  };
  const child = vms[0]!.spawn(process.execPath, ['--max-semi-space-size=1', program, ...words], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await eventually(async () => existsSync(socket) || undefined, 'the socket');
  chownSync(socket, NOBODY, NOBODY);
}

/** Submits a job as it is shipped. */
async function submit({ cluster }: Scene, name: string, variables: string): Promise<void> {
  const JobHCL = readFileSync(path.join(JOBS, `${name}.nomad.hcl`), 'utf8');
  const Variables = `${variables}\nuser = "nobody"\n`;
  const Job = await cluster.call('POST', 'jobs/parse', { JobHCL, Variables, Canonicalize: true });
  await cluster.call('PUT', 'jobs', { Job });
}

/** What bubblewrap says in a task that is confined as the claimer is. */
async function sandboxInTask(cluster: Cluster): Promise<string> {
  const bwrap = '/host/bin/bwrap --unshare-all --ro-bind / / true';
  const library = `/host/lib/${process.arch === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu`;
  const JobHCL = `job "sandbox" {
    type = "batch"
    group "g" {
      restart {
        attempts = 0
      }
      volume "usr" {
        type   = "host"
        source = "usr"
      }
      task "t" {
        driver = "exec"
        user   = "nobody"
        config {
          command = "/bin/sh"
          args    = ["-c", "if LD_LIBRARY_PATH=${library} ${bwrap} 2>&1; then echo opened; else echo refused; fi"]
        }
        volume_mount {
          volume      = "usr"
          destination = "/host"
        }
        resources {
          memory = 64
        }
      }
    }
  }`;
  const Job = await cluster.call('POST', 'jobs/parse', { JobHCL, Canonicalize: true });
  await cluster.call('PUT', 'jobs', { Job });
  const allocation = await eventually(async () => {
    const [found] = await cluster.call('GET', 'job/sandbox/allocations');
    return found?.ClientStatus === 'complete' ? (found.ID as string) : undefined;
  }, 'the sandbox to be tried');
  return String(
    await cluster.call('GET', `client/fs/logs/${allocation}?task=t&type=stdout&origin=start&plain=true`),
  );
}

/** A task whose agent waits in its sandbox, and its run. */
async function begin({ appliance, stateDir }: Scene): Promise<{ task: number; run: string }> {
  const task = await appliance.task('sample');
  const run = `${task}-1`;
  const log = path.join(stateDir, 'runs', run, 'raw.log');
  await eventually(
    async () => (existsSync(log) && readFileSync(log, 'utf8').includes('interfaces')) || undefined,
    'the agent',
  );
  assert.match(readFileSync(log, 'utf8'), /interfaces: 1\n/, 'loopback alone');
  return { task, run };
}

/** Lets the agent of a run go on, and sees its task end with one run and one change. */
async function letGo(scene: Scene, task: number, run: string): Promise<void> {
  const tree = path.join(scene.stateDir, 'runs', run, 'work/tree');
  await eventually(async () => existsSync(path.join(tree, 'answer')) || undefined, 'the work tree');
  writeFileSync(path.join(tree, 'go'), '');
  await isChanged(scene, task);
}

async function isChanged({ appliance }: Scene, task: number): Promise<void> {
  const { state } = await appliance.ended(task);
  const runs = await appliance.runs(task);
  assert.deepEqual([state, runs.map((run) => run.state)], ['completed', ['succeeded']], JSON.stringify(runs));
  const changes = (await appliance.api<Change[]>('GET', '/changes?project=sample')).filter(
    (each) => each.task === task,
  );
  assert.equal(changes.length, 1);
}

/** Processes of a program on the only VM; other tests may have claimers, too. */
function running(program: string, { cluster: { vms } }: Scene): number[] {
  return processesOf(program).filter(
    (pid) => link(pid, 'ns/net') === link(vms[0]!.pid, 'ns/net') && link(pid, 'exe').endsWith('/node'),
  );
}

function link(pid: number, name: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${name}`);
  } catch {
    return ''; // it has ended
  }
}

function parentOf(pid: number): number {
  return Number(/\nPPid:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}

function memoryOf(pid: number): string {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return ['Rss', 'Pss']
    .map(
      (name) => `${name} ${Math.round(Number(new RegExp(`${name}: +(\\d+)`).exec(rollup)![1]) / 1024)} MiB`,
    )
    .join(', ');
}
