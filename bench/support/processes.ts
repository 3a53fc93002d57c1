// Programs that a benchmark runs beside itself, and what they take: processor time and memory with all their children.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { pssMb } from './measure.ts';

export interface Program {
  pid: number;
  /** The first line it printed. */
  line: string;
  stop(): Promise<void>;
}

/** Starts a program; resolves when it has printed its first line (`line`), or when something answers at `answersAt`. */
export async function start(
  command: readonly [string, ...string[]],
  options: { env?: Record<string, string>; line?: boolean; answersAt?: string } = {},
): Promise<Program> {
  const { env = {}, line = false, answersAt } = options;
  const [program, ...args] = command;
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', line ? 'pipe' : 'ignore', 'ignore'],
  });
  await once(child, 'spawn');
  try {
    if (answersAt !== undefined) await answers(answersAt, child);
    return {
      pid: child.pid!,
      line: line ? String((await once(child.stdout!, 'data'))[0]).trim() : '',
      stop: async () => await stop(child),
    };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill();
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(late);
}

const START_MS = 90_000;

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (const deadline = performance.now() + START_MS; ; await delay(100)) {
    try {
      return void (await (await fetch(url)).arrayBuffer());
    } catch (error) {
      if (performance.now() > deadline || child.exitCode !== null) throw error;
    }
  }
}

const TICKS_A_SECOND = 100;

function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** The process and all below it. */
export function treeOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const parent = Number(statOf(Number(name))[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {} // it has ended meanwhile
  }
  const below = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(below)];
  return below(root);
}

/** Processor time of a process and all below it since they began, in milliseconds; of those that ended too. */
export function cpuMs(root: number): number {
  let ticks = 0;
  for (const pid of treeOf(root)) {
    try {
      const [user, system, childrenUser, childrenSystem] = statOf(pid).slice(11, 15).map(Number);
      ticks += user! + system! + (pid === root ? childrenUser! + childrenSystem! : 0);
    } catch {} // it has ended meanwhile
  }
  return (ticks * 1000) / TICKS_A_SECOND;
}

/** Memory of a process and all below it, MB. */
export function memoryMb(root: number): number {
  return treeOf(root).reduce((sum, pid) => sum + pssMb(pid), 0);
}
