// A whole Autocode on a directory of its own, as a user starts it: for the end-to-end tests.
import { execFile, execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Change } from '../../protocol/change.ts';
import type { Run } from '../../protocol/run.ts';
import { TASK_STATES, type Task } from '../../protocol/task.ts';
import { testDatabase } from '../support/database.ts';

const AUTOCODE = path.join(import.meta.dirname, '../../autocode');
const run = promisify(execFile);

/** Short times, so that what takes minutes on an appliance takes seconds here; but no lease is lost because a machine is busy. */
const QUICK = [
  'lease.heartbeatSeconds=1',
  'lease.leaseSeconds=30',
  'lease.startupGraceSeconds=2',
  'lease.selfStopMinutes=1',
  'limits.retryBackoffSeconds=0',
];

/** Among the settings: a PostgreSQL of its own, as users have it. Without it there is a database of the tests' server, which costs a tenth. */
export const OWN_POSTGRES = 'a PostgreSQL of its own';

export interface Appliance {
  dataDir: string;
  directory: string;
  /** Runs the CLI on this appliance; gives stdout, throws when it fails. */
  autocode(...args: string[]): Promise<string>;
  up(): Promise<void>;
  api<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', route: string, body?: object): Promise<T>;
  /** A trusted project on a new repository, worked on by a shell script as the agent. */
  project(name: string, options: ProjectOptions): Promise<string>;
  task(project: string, title?: string, more?: object): Promise<number>;
  /** Waits for the end of a task. */
  ended(task: number): Promise<Task>;
  runs(task: number): Promise<Run[]>;
  changes(project: string): Promise<Change[]>;
  daemonPid(): number;
  /** Where API and page are. */
  url(): string;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ProjectOptions {
  agent: string;
  verify?: { name: string; command: string }[];
  files?: Record<string, string>;
  limits?: object;
}

const LONGEST_PAUSE_MS = 250;
const CHECK = [{ name: 'test', command: 'sh ./check' }];
const FILES = { check: 'test "$(cat answer)" = 42\n', answer: '41\n' };

/** Starts one; everything of it is gone when it is disposed, or the test fails. */
export async function startAppliance(...given: string[]): Promise<Appliance> {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-e2e-')));
  const dataDir = path.join(directory, 'data');
  const own = given.some((setting) => setting === OWN_POSTGRES || setting.startsWith('database.url='));
  const database = own ? undefined : await testDatabase();
  const settings = given.filter((setting) => setting !== OWN_POSTGRES);
  if (database !== undefined) settings.push(`database.url=${database.url}`);
  const flags = [`dataDir=${dataDir}`, ...QUICK, ...settings].flatMap((setting) => ['--set', setting]);
  const daemon = () =>
    JSON.parse(readFileSync(path.join(dataDir, 'run/daemon.json'), 'utf8')) as { url: string; pid: number };
  const autocode = async (...args: string[]) =>
    (await run(AUTOCODE, [...args, ...flags], { maxBuffer: 1 << 26 })).stdout;

  const api: Appliance['api'] = async <T>(method: string, route: string, body?: object) => {
    const token = readFileSync(path.join(dataDir, 'run/admin-token'), 'utf8').trim();
    const answer = await fetch(`${daemon().url}/api/v1${route}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const content = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${content}`);
    return JSON.parse(content) as T;
  };

  const appliance: Appliance = {
    dataDir,
    directory,
    autocode,
    api,
    up: async () => void (await autocode('up', '--detach')),
    async project(name, { agent, verify = CHECK, files = FILES, limits = {} }) {
      const where = makeRepository(path.join(directory, name), files);
      await api('POST', '/projects', {
        name,
        repository: where,
        trusted: true,
        isolation: 'directory',
        agent: 'command',
        agentCommand: ['sh', '-c', agent],
        verify,
        limits,
      });
      return where;
    },
    task: async (project, title = 'make the answer right', more = {}) =>
      (await api<Task>('POST', '/tasks', { project, title, ...more })).id,
    ended: async (task) =>
      await eventually(
        async () => {
          const found = await api<Task>('GET', `/tasks/${task}`).catch(() => undefined); // the daemon may be down on purpose
          return found !== undefined && TASK_STATES.indexOf(found.state) >= TASK_STATES.indexOf('completed')
            ? found
            : undefined;
        },
        `task ${task} to end`,
        180_000,
      ),
    runs: async (task) => (await api<Run[]>('GET', `/runs?task=${task}`)).toReversed(),
    changes: async (project) => await api<Change[]>('GET', `/changes?project=${project}`),
    daemonPid: () => daemon().pid,
    url: () => daemon().url,
    async [Symbol.asyncDispose]() {
      await autocode('down').catch(() => {});
      const left = await eventually(
        () => Promise.resolve(processesOf(directory).length === 0 || undefined),
        'its processes to end',
        20_000,
      ).catch(() => processesOf(directory));
      const told = Array.isArray(left) ? left.map((pid) => commandOf(pid)).join('; ') : '';
      if (Array.isArray(left)) for (const pid of left) process.kill(pid, 'SIGKILL');
      rmSync(directory, { recursive: true, force: true });
      await database?.[Symbol.asyncDispose]();
      if (told !== '') throw new Error(`processes were left behind: ${told}`);
    },
  };
  try {
    await appliance.up();
  } catch (error) {
    await appliance[Symbol.asyncDispose]().catch(() => {});
    throw error;
  }
  return appliance;
}

/** A repository with one commit; gives its path. */
export function makeRepository(where: string, files: Record<string, string>): string {
  mkdirSync(where);
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(where, name), content);
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', where, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args]);
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-qm', 'begin');
  return where;
}

/** Polls until there is an answer, the less often the longer it takes: what is asked works, too. */
export async function eventually<T>(
  ask: () => Promise<T | undefined>,
  what: string,
  withinMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 1.2, LONGEST_PAUSE_MS)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs / 1000} s for ${what}`);
    await delay(pauseMs);
  }
}

/** Pids whose command line or environment names the directory. */
export function processesOf(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) =>
      [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`].some((file) => readOrEmpty(file).includes(directory)),
    );
}

/** The command line of a process, for messages. */
export function commandOf(pid: number): string {
  return readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has ended, or is a kernel thread
  }
}
