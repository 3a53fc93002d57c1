// Finds and kills the processes of an appliance by what they are. Used by the fault tests.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { readOrEmpty, namesIn } from './moments.ts';
import type { Victim } from './points.ts';

/** Pids of a kind of process; those of one task where it has its own. */
export function pidsOf(victim: Victim, dataDir: string, task: number): number[] {
  switch (victim) {
    case 'daemon':
      return daemonPid(dataDir);
    case 'postgres':
      return pid(readOrEmpty(path.join(dataDir, 'postgres/data/postmaster.pid')).split('\n')[0]);
    case 'worker':
      return processes().filter((each) => isWorker(each, dataDir));
    case 'runner':
      return runnerPids(dataDir, task);
    case 'agent': {
      const runners = runnerPids(dataDir, task);
      const ofTask = new RegExp(`(^|\\0)AUTOCODE_RUN=${task}-`);
      return processes().filter(
        (each) => ofTask.test(readOrEmpty(`/proc/${each}/environ`)) && isBelow(runners, each),
      );
    }
    case 'git':
      return [...runnerPids(dataDir, task), ...daemonPid(dataDir)].flatMap(gitChildren).slice(0, 1);
  }
}

/** SIGKILL to all of them; false when there was none. */
export function kill(victim: Victim, dataDir: string, task: number): boolean {
  return signal(pidsOf(victim, dataDir, task), 'SIGKILL');
}

/** Sends a signal; false when nobody was there to get it. */
export function signal(pids: number[], name: NodeJS.Signals): boolean {
  let sent = false;
  for (const each of pids) {
    try {
      process.kill(each, name);
      sent = true;
    } catch {
      // It has just ended.
    }
  }
  return sent;
}

function daemonPid(dataDir: string): number[] {
  return pid(/"pid":\s*(\d+)/.exec(readOrEmpty(path.join(dataDir, 'run/daemon.json')))?.[1]);
}

function runnerPids(dataDir: string, task: number): number[] {
  const runs = path.join(dataDir, 'worker/runs');
  const files = namesIn(runs)
    .filter((name) => name.startsWith(`${task}-`))
    .map((name) => path.join(runs, name, 'runner.json'));
  return files.flatMap((file) => pid(/"pid":\s*(\d+)/.exec(readOrEmpty(file))?.[1]));
}

// Below its runner, in a sandbox or not: another appliance on the machine may have a task of that number.
function isBelow(runners: number[], each: number): boolean {
  for (let pid = each; pid > 1; pid = parentOf(pid)) if (runners.includes(pid)) return true;
  return false;
}

function parentOf(each: number): number {
  const stat = readOrEmpty(`/proc/${each}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]);
}

function isWorker(each: number, dataDir: string): boolean {
  const command = readOrEmpty(`/proc/${each}/cmdline`);
  return command.includes('worker-agent/main.ts') && command.includes(dataDir);
}

function gitChildren(parent: number): number[] {
  const children = readOrEmpty(`/proc/${parent}/task/${parent}/children`)
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
  return children.filter((child) => /^(git|flock)/.test(readOrEmpty(`/proc/${child}/comm`)));
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function pid(text: string | undefined): number[] {
  const number = Number(text);
  return Number.isInteger(number) && number > 1 && number !== process.pid ? [number] : [];
}
