// The process of an engine: detached, so that it outlives the daemon; found again by pid and start time, or by the launch
// that its environment names; ended with all that it started. Used by vllm.ts and the supervisor.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../../protocol/errors.ts';
import { processStartTime } from '../../config/daemon-file.ts';
import { startDetached, type DetachedProcess } from '../../config/detached-process.ts';
import { groupOf, joinGroup, removeGroup } from './engine-process-group.ts';
import type { Handle } from './managed.ts';

export interface EngineProcess extends DetachedProcess {
  launch: string;
}

const MARK = 'AUTOCODE_ENGINE';
const POLL_MS = 20;
const GIVE_UP_MS = 10_000;

/** Starts a program whose output goes to the end of a file; resolves when it runs. */
export async function startProcess(options: {
  launch: string;
  program: string;
  arguments: string[];
  environment: Record<string, string>;
  log: string;
}): Promise<EngineProcess> {
  const { launch, program, log } = options;
  const environment = { ...options.environment, [MARK]: launch };
  const started = await startDetached(program, options.arguments, { environment, log, mode: 0o600 });
  // It has not had the time to start another: that takes an interpreter tens of milliseconds.
  joinGroup(launch, started.pid);
  return { launch, ...started };
}

/** Whether the process that was started is still there. */
export function isAlive({ pid, startTime }: EngineProcess): boolean {
  return startTime !== '' && processStartTime(pid) === startTime;
}

/** The process of a launch by what its environment says; undefined when none runs. */
export function findProcess(launch: string): EngineProcess | undefined {
  const marked = processes().filter((each) => each.session === each.pid && hasMark(each.pid, launch));
  return marked.map(({ pid, startTime }) => ({ launch, pid, startTime }))[0];
}

/** The process that a handle names; undefined for an engine that is none. */
export function processOf({ launch, pid, startTime }: Handle): EngineProcess | undefined {
  return pid === undefined || startTime === undefined ? undefined : { launch, pid, startTime };
}

/** All live processes of a launch: the first, those that came of it, also when they left its session, or it has ended. */
export function pidsOf(engine: EngineProcess): number[] {
  const all = processes();
  const session = new Set(sessionOf(engine, all).map(({ pid }) => pid));
  return all
    .map(({ pid }) => pid)
    .filter((pid) => session.has(pid) || groupOf(pid) === engine.launch || hasMark(pid, engine.launch));
}

// Younger than the first, or a session from before a reboot could be taken for it.
function sessionOf({ pid, startTime }: EngineProcess, all: Stat[]): Stat[] {
  const holder = all.find((each) => each.pid === pid);
  if (holder !== undefined && holder.startTime !== startTime) return []; // the number was given to another
  return all.filter((each) => each.session === pid && Number(each.startTime) >= Number(startTime));
}

/** Asks the process to end, and after a grace kills what is left; resolves when nothing of the launch runs any more. */
export async function endProcess(engine: EngineProcess, graceMs: number): Promise<void> {
  const patience = performance.now() + graceMs;
  if (isAlive(engine)) send(engine.pid, 'SIGTERM');
  // An engine whose first process has ended does not end its workers any more: those are killed at once.
  while (isAlive(engine) && performance.now() < patience) await delay(POLL_MS);
  const giveUp = performance.now() + GIVE_UP_MS;
  for (let left = pidsOf(engine); left.length > 0; left = pidsOf(engine)) {
    if (performance.now() > giveUp) {
      throw new AutocodeError(
        'ERR_ENGINE_UNAVAILABLE',
        `Processes of an engine cannot be ended: ${left.join(', ')}.`,
        {
          remedy:
            'See what they wait for (`ps`, `nvidia-smi`): after an error of the GPU only a restart of the machine ends them.',
        },
      );
    }
    for (const pid of left) send(pid, 'SIGKILL');
    await delay(POLL_MS);
  }
  await removeGroup(engine.launch);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone meanwhile.
  }
}

interface Stat {
  pid: number;
  session: number;
  startTime: string;
}

// The name in brackets may hold anything; what follows the last bracket is state, parent, group, session, …
function processes(): Stat[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const stat = read(`/proc/${name}/stat`);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (stat === '' || fields[0] === 'Z') return [];
    return [{ pid, session: Number(fields[3]), startTime: fields[19] ?? '' }];
  });
}

// vLLM's workers write their title over their environment: the mark is sure to be found at the first process alone.
function hasMark(pid: number, launch: string): boolean {
  return `\0${read(`/proc/${pid}/environ`)}`.includes(`\0${MARK}=${launch}\0`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
