// Processes of a run, found in /proc: what a sandbox without isolation has instead of a kernel object that holds them all.
// Used by the sandbox, by the runner's meter, and by the worker for runs whose runner has died.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../protocol/errors.ts';

export interface ProcessScope {
  /** Name and value of the environment variable that all processes of the run inherit. */
  mark: string;
  /** The run's directory: a process without a terminal that works in it belongs to the run even if it cleared its environment. */
  directory: string;
}

export const MARK_NAME = 'AUTOCODE_RUN_MARK';
const POLL_MS = 20;
const GIVE_UP_MS = 10_000;

/** Of a kernel's ticks, which are the same wherever Linux shows them to programs. */
const TICKS_PER_SECOND = 100;

/** What processes use together. */
export interface Used {
  memoryBytes: number;
  /** Of those that are there and of their children that are not; it falls when one of them ends. */
  cpuSeconds: number;
  /** Threads counted in. */
  processes: number;
}

interface Stat {
  state: string;
  group: number;
  terminal: number;
  /** Its own and those of children that it has waited for. */
  ticks: number;
  threads: number;
  startTime: string;
}

/** Start time of a process in clock ticks since boot, or null when there is none (a zombie counts as none). */
export function startTimeOf(pid: number): string | null {
  const stat = readStat(pid);
  return stat === null || stat.state === 'Z' ? null : stat.startTime;
}

/** Live processes of a run, besides this one. `groups` are process groups whose leaders are known to live. */
export function processesOf(scope: ProcessScope, groups: ReadonlySet<number> = new Set()): number[] {
  const mark = `${MARK_NAME}=${scope.mark}\0`;
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .filter((pid) => {
      const stat = readStat(pid);
      if (stat === null || stat.state === 'Z') return false;
      return (
        groups.has(stat.group) ||
        environmentOf(pid).includes(mark) ||
        (stat.terminal === 0 && isInside(scope.directory, pid))
      );
    });
}

/** What these processes use: memory is what each has for itself or shares by more than files. */
export function usedBy(pids: number[]): Used {
  const used = { memoryBytes: 0, cpuSeconds: 0, processes: 0 };
  for (const pid of pids) {
    const stat = readStat(pid);
    if (stat === null) continue;
    used.memoryBytes += memoryOf(pid);
    used.cpuSeconds += stat.ticks / TICKS_PER_SECOND;
    used.processes += stat.threads;
  }
  return used;
}

/** Ends processes: SIGTERM, a short grace, then SIGKILL until `find` finds none; gives up after ten seconds more. */
export async function endProcesses(find: () => number[], graceMs: number): Promise<void> {
  const asked = new Set<number>();
  const patience = performance.now() + graceMs;
  for (let left = find(); left.length > 0; left = find()) {
    if (performance.now() > patience + GIVE_UP_MS) {
      throw new AutocodeError('ERR_INTERNAL', `Processes of the run cannot be ended: ${left.join(', ')}.`, {
        remedy: 'See what they wait for (`ps`), as a disk that does not answer.',
      });
    }
    const signal = performance.now() < patience ? 'SIGTERM' : 'SIGKILL';
    for (const pid of left) {
      if (signal === 'SIGTERM' && asked.has(pid)) continue;
      asked.add(pid);
      send(pid, signal);
    }
    await delay(POLL_MS);
  }
}

/** Sends a signal to a process or, with a negative id, to a group; one that is gone is no error. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone, or not ours.
  }
}

function readStat(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in brackets may hold anything; what follows the last bracket is state, parent, group, session, terminal, …
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return {
      state: fields[0] ?? '',
      group: Number(fields[2]),
      terminal: Number(fields[4]),
      ticks: fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0),
      threads: Number(fields[17]),
      startTime: fields[19] ?? '',
    };
  } catch {
    return null;
  }
}

function memoryOf(pid: number): number {
  try {
    const lines = readFileSync(`/proc/${pid}/status`, 'latin1').matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm);
    return [...lines].reduce((sum, [, kib]) => sum + Number(kib) * 1024, 0);
  } catch {
    return 0;
  }
}

function environmentOf(pid: number): string {
  try {
    return `${readFileSync(`/proc/${pid}/environ`, 'latin1')}\0`;
  } catch {
    return '';
  }
}

function isInside(directory: string, pid: number): boolean {
  try {
    const cwd = readlinkSync(`/proc/${pid}/cwd`);
    return cwd === directory || cwd.startsWith(`${directory}/`);
  } catch {
    return false;
  }
}
