// What the benchmarks measure with: percentiles, the memory of a process, a daemon on a directory of its own.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const AUTOCODE = join(import.meta.dirname, '../../autocode');
const run = promisify(execFile);

/** The value below which `share` (0 to 1) of the numbers lie. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The middle one. */
export function middle(numbers: readonly number[]): number {
  return percentile(numbers, 0.5);
}

/** Memory of processes as if they were alone on their machine, MB: pages of a file that several have count once. */
export function togetherMb(pids: readonly number[]): number {
  const files = new Map<string, number>();
  let kb = 0;
  for (const pid of pids) {
    const own = new Map<string, number>();
    let file = ''; // by its number: in another root it has another name
    for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
      const mapping = /^[0-9a-f]+-[0-9a-f]+ \S+ ([0-9a-f]+ \S+ \d+)/.exec(line);
      if (mapping !== null) file = mapping[1]!;
      const [, name, value] = /^(Rss|Anonymous): +(\d+) kB$/.exec(line) ?? [];
      if (name === undefined) continue;
      own.set(file, (own.get(file) ?? 0) + (name === 'Rss' ? 1 : -1) * Number(value));
      if (name === 'Anonymous') kb += Number(value);
    }
    for (const [key, shared] of own) files.set(key, Math.max(files.get(key) ?? 0, shared));
  }
  return [...files.values()].reduce((sum, shared) => sum + shared, kb) / 1024;
}

/** Proportional set size of a process, MB: memory it shares counts in part. */
export function pssMb(pid: number): number {
  const [, kb = '0'] = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kb) / 1024;
}

/** A daemon without a worker, started as a user does. */
export interface BenchDaemon {
  url: string;
  pid: number;
  adminToken: string;
  /** Calls the API as the administrator. */
  api<T>(method: string, route: string, body?: object): Promise<T>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts one; all of it is gone when it is disposed. */
export async function benchDaemon(...settings: string[]): Promise<BenchDaemon> {
  const dataDir = mkdtempSync(join(tmpdir(), 'autocode-bench-'));
  const limits = ['admin', 'viewer', 'worker', 'run'].map((role) => `api.rateLimit.${role}=10000000`);
  const flags = [
    `dataDir=${dataDir}`,
    'worker.local=false',
    'lease.leaseSeconds=600',
    'lease.selfStopMinutes=60',
    ...limits,
    ...settings,
  ];
  const autocode = async (...args: string[]) =>
    await run(AUTOCODE, [...args, ...flags.flatMap((flag) => ['--set', flag])]);
  await autocode('up', '--detach');
  const { url, pid } = JSON.parse(readFileSync(join(dataDir, 'run/daemon.json'), 'utf8')) as {
    url: string;
    pid: number;
  };
  const adminToken = readFileSync(join(dataDir, 'run/admin-token'), 'utf8').trim();
  return {
    url,
    pid,
    adminToken,
    async api<T>(method: string, route: string, body?: object) {
      const headers = {
        authorization: `Bearer ${adminToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      };
      const answer = await fetch(`${url}/api/v1${route}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${text}`);
      return (text === '' ? null : JSON.parse(text)) as T;
    },
    async [Symbol.asyncDispose]() {
      await autocode('down').catch(() => {});
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
