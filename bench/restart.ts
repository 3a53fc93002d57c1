// kill -9 of the daemon → serving again, with 1,000 queued tasks and 4 runs at work.
import { execFile, execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { report } from './report.ts';

const KILLS = 5;
const TASKS = 1_000;
const RUNS = 4;
const AUTOCODE = join(import.meta.dirname, '../autocode');
const run = promisify(execFile);

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'autocode-bench-')));
const dataDir = join(directory, 'data');
const settings = ['--set', `dataDir=${dataDir}`, '--set', `worker.concurrency=${RUNS}`];
const autocode = async (...args: string[]) => await run(AUTOCODE, [...args, ...settings]);
const daemon = () =>
  JSON.parse(readFileSync(join(dataDir, 'run/daemon.json'), 'utf8')) as { url: string; pid: number };

async function api<T>(method: 'GET' | 'POST', route: string, body?: object): Promise<T> {
  const token = readFileSync(join(dataDir, 'run/admin-token'), 'utf8').trim();
  const answer = await fetch(`${daemon().url}/api/v1${route}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Projects whose agent works until it is ended, with tasks that wait behind it. */
async function fill(): Promise<void> {
  const origin = join(directory, 'origin');
  mkdirSync(origin);
  writeFileSync(join(origin, 'file'), 'x\n');
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['add', '.'],
    ['commit', '-qm', 'begin'],
  ])
    execFileSync('git', ['-C', origin, '-c', 'user.name=b', '-c', 'user.email=b@example.org', ...args]);
  for (let i = 0; i < RUNS; i++) {
    const name = `project-${i}`;
    const work = { agent: 'command', agentCommand: ['sleep', '3600'], trusted: true, isolation: 'directory' };
    await api('POST', '/projects', { name, repository: origin, ...work });
    for (let task = 0; task < TASKS / RUNS; task++)
      await api('POST', '/tasks', { project: name, title: `task ${task}` });
  }
  await untilWorking();
}

async function untilWorking(): Promise<void> {
  for (;;) {
    const { runs } = await api<{ runs: Record<string, number> }>('GET', '/status');
    if (runs.working === RUNS) return;
    await delay(100);
  }
}

/** Seconds from the kill to the first answer of the API that comes from the database. */
async function killAndStart(): Promise<number> {
  process.kill(daemon().pid, 'SIGKILL');
  const started = performance.now();
  await autocode('up', '--detach');
  await api('GET', '/status');
  return (performance.now() - started) / 1000;
}

/** Runs outlive their daemon; these end with the benchmark. */
async function endRunners(): Promise<void> {
  for (const run of readdirSync(join(dataDir, 'worker/runs'))) {
    const { pid } = JSON.parse(readFileSync(join(dataDir, 'worker/runs', run, 'runner.json'), 'utf8')) as {
      pid: number;
    };
    process.kill(pid, 'SIGTERM');
    while (existsSync(`/proc/${pid}`)) await delay(50);
  }
}

const times: number[] = [];
try {
  await autocode('up', '--detach');
  await fill();
  for (let i = 0; i < KILLS; i++) {
    times.push(await killAndStart());
    await untilWorking();
  }
  const { runs, tasks } = await api<{ runs: Record<string, number>; tasks: Record<string, number> }>(
    'GET',
    '/status',
  );
  console.error(
    `restarts: ${times.map((time) => time.toFixed(2)).join(', ')} s; then ${JSON.stringify({ runs, tasks })}`,
  );
  times.sort((a, b) => a - b);
  report('restart', [
    { name: 'kill -9 to serving, median of 5', value: times[KILLS >> 1]!, unit: 's', atMost: 10 },
    { name: 'kill -9 to serving, longest of 5', value: times.at(-1)!, unit: 's', atMost: 10 },
    { name: 'runs that went on', value: runs.working ?? 0, unit: 'runs', atLeast: RUNS },
  ]);
} finally {
  await autocode('down').catch(() => {});
  await endRunners();
  rmSync(directory, { recursive: true, force: true });
}
