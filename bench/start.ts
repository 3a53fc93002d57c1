// `up` to ready, and what daemon and worker take when idle.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { report } from './report.ts';

const STARTS = 5;
const SETTLE_MS = 10_000;
const AUTOCODE = join(import.meta.dirname, '../autocode');
const run = promisify(execFile);

const dataDir = mkdtempSync(join(tmpdir(), 'autocode-bench-'));
const autocode = async (...args: string[]) => await run(AUTOCODE, [...args, '--set', `dataDir=${dataDir}`]);
const daemonPid = () => Number(JSON.parse(readFileSync(join(dataDir, 'run/daemon.json'), 'utf8')).pid);

/** Resident memory of a process, MB, the pages that it shares with others counted in. */
function residentMb(pid: number): number {
  const [, kb = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kb) / 1024;
}

/** Pids whose command line has all the words. */
function pidsOf(...words: string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return words.every((word) => command.includes(word));
      } catch {
        return false; // it has ended
      }
    })
    .map(Number);
}

const times: number[] = [];
try {
  await autocode('up', '--detach'); // the first start makes the database; it is measured apart
  for (let i = 0; i < STARTS; i++) {
    await autocode('down');
    const started = performance.now();
    await autocode('up', '--detach');
    times.push((performance.now() - started) / 1000);
  }
  await delay(SETTLE_MS);
  const daemon = residentMb(daemonPid());
  const [workerPid] = pidsOf('worker-agent/main.ts', dataDir);
  if (workerPid === undefined) throw new Error('the local worker does not run');
  const worker = residentMb(workerPid);
  const postgres = pidsOf('postgres', 'autocode').reduce((sum, pid) => sum + residentMb(pid), 0);
  console.error(
    `starts: ${times.map((time) => time.toFixed(2)).join(', ')} s; PostgreSQL beside it (sum of its processes, shared pages counted in each): ${postgres.toFixed(0)} MB`,
  );
  times.sort((a, b) => a - b);
  report('start', [
    { name: '`up` to ready, median of 5 warm starts', value: times[STARTS >> 1]!, unit: 's', atMost: 3 },
    { name: 'idle daemon, resident', value: daemon, unit: 'MB', atMost: 200 },
    { name: 'idle worker, resident', value: worker, unit: 'MB', atMost: 90 },
  ]);
} finally {
  await autocode('down').catch(() => {});
  rmSync(dataDir, { recursive: true, force: true });
}
