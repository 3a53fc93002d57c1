// A real Ray head on loopback with GPUs that are only counted, for one test file: `await using ray = await startRay(…)`.
// Installed by scripts/servers/inference/install. Its own processes are ended with it, and no others.
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from './ports.ts';

const RAY = join(import.meta.dirname, '../../.runtime/servers/inference/bin/ray');
const START_MS = 90_000;

export interface Ray {
  /** Of the dashboard. */
  address: string;
  /** Where Serve will listen. */
  serveUrl: string;
  /** Ends all of its processes as a power cut would; `start` brings an empty cluster back on the same ports. */
  kill(): Promise<void>;
  start(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts it: some 10 s. `pythonPath`: where applications are found. */
export async function startRay({
  gpus,
  pythonPath,
  environment = {},
}: {
  gpus: number;
  pythonPath: string;
  environment?: Record<string, string>;
}): Promise<Ray> {
  const dir = await mkdtemp('/tmp/ray-'); // its sockets' paths may have 107 bytes
  const [head, dashboard, agent, client, serve] = await freePorts(5);
  const address = `http://127.0.0.1:${dashboard}`;
  let child: ChildProcess | undefined;
  const end = () => {
    const pids = new Set<number>();
    const found = () => (child?.pid === undefined ? [] : family(child.pid)).filter((pid) => !pids.has(pid));
    // Halted first, so that none of them begins another one while it is looked for.
    for (let more = found(); more.length > 0; more = found())
      for (const pid of more) {
        pids.add(pid);
        signalTo(pid, 'SIGSTOP');
      }
    for (const pid of pids) signalTo(pid, 'SIGKILL');
    child = undefined;
    return [...pids];
  };
  const kill = async () => {
    const pids = end();
    while (pids.some(isAlive)) await delay(20);
  };
  process.once('exit', end); // a test that is stopped takes its cluster along
  const start = async () => {
    const log = await open(join(dir, 'start.log'), 'w');
    const spawned = spawn(
      RAY,
      [
        'start',
        '--head',
        '--block',
        '--disable-usage-stats',
        '--num-cpus=4',
        `--num-gpus=${gpus}`,
        '--node-ip-address=127.0.0.1',
        `--port=${head}`,
        '--dashboard-host=127.0.0.1',
        `--dashboard-port=${dashboard}`,
        `--dashboard-agent-listen-port=${agent}`,
        `--ray-client-server-port=${client}`,
        '--include-log-monitor=false',
        '--no-monitor', // of the autoscaler
        '--object-store-memory=80000000',
        `--temp-dir=${dir}`,
      ],
      {
        env: {
          PATH: process.env.PATH,
          HOME: dir,
          PYTHONPATH: pythonPath,
          PYTHONDONTWRITEBYTECODE: '1',
          RAY_metrics_report_interval_ms: '1000',
          RAY_prestart_worker_first_driver: '0', // no process that nobody asks for
          RAY_SERVE_MAX_PER_REPLICA_RETRY_COUNT: '1', // what fails at its start has failed
          ...environment,
        },
        stdio: ['ignore', log.fd, log.fd],
      },
    );
    child = spawned;
    await log.close();
    for (const deadline = Date.now() + START_MS; ; await delay(100)) {
      const answer = await fetch(`${address}/api/serve/applications/`).catch(() => undefined);
      if (answer?.status === 200) return;
      if (spawned.exitCode === null && Date.now() < deadline) continue;
      const said = await readFile(join(dir, 'start.log'), 'utf8');
      throw new Error(`Ray did not start:\n${said.slice(-2000)}`);
    }
  };
  const ray: Ray = {
    address,
    serveUrl: `http://127.0.0.1:${serve}`,
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill();
      process.off('exit', end);
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    await start();
    return ray;
  } catch (error) {
    await ray[Symbol.asyncDispose]();
    throw error;
  }
}

/** A process and all that it began; taken before any of them ends, since what is left has no parent to be found by. */
function family(root: number): number[] {
  const parents = readdirSync('/proc').flatMap((name): [number, number][] => {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    return stat === undefined ? [] : [[Number(name), stat.parent]];
  });
  const found = [root];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found;
}

function statOf(pid: number): { state: string; parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: state!, parent: Number(parent) };
  } catch {
    return undefined; // it has just ended
  }
}

const isAlive = (pid: number) => !['Z', undefined].includes(statOf(pid)?.state);

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has just ended
  }
}
