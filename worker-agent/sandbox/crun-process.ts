// One program in a container: crun is started in the control group with a bundle of its own; signals are sent to the first process
// inside, which hands them on to the program's process group. Used by container.ts.
import { spawn } from 'node:child_process';
import { readFileSync, watch } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { send, startTimeOf } from '../run-processes.ts';
import { exitOf } from './exit-of.ts';
import type { Exit, SandboxProcess } from './sandbox.ts';
import { JOIN } from './start-scripts.ts';

export interface CrunProgram {
  crun: string[];
  joinFiles: string[];
  /** A directory of its own with config.json, absolute; it is removed at the end. */
  bundle: string;
  /** No other of this bundle's state has it. */
  id: string;
  stdin: 'pipe' | 'ignore';
}

// The first process inside. Job control gives the program a process group of its own and leaves its signals as they are. The traps
// come first: without one the kernel drops what is sent to a first process, and a signal from before the program waits for it. It
// holds nothing open, so that an output ends when the program closes it, and says nothing of its own, as that a job has ended. What
// is known last counts: `wait` also ends by a signal.
// usage: bash -c INIT pipe|ignore PROGRAM ARGUMENT…
export const INIT = `early=
for each in HUP INT QUIT USR1 USR2 TERM; do trap "[[ \\$! ]] && kill -$each -- -\\$! || early=$each" $each; done
[[ $0 == pipe ]] || exec < /dev/null
exec 3>&1 4>&2 > /dev/null 2>&1
set -m
"$@" <&0 >&3 2>&4 3>&- 4>&- &
program=$!
exec < /dev/null 3>&- 4>&-
[[ ! $early ]] || kill -$early -- -$program
wait $program; code=$?
while kill -0 $program; do wait $program; code=$?; done
wait $program; last=$?
[[ $last == 127 ]] || code=$last
exit $code`;

const GIVE_UP_MS = 10_000;

/** Starts a program. Never throws; what cannot be set up exits with a code and a line on stderr. */
export function startCrun({ crun, joinFiles, bundle, id, stdin }: CrunProgram): SandboxProcess {
  const pidFile = path.join(bundle, 'pid');
  const command = [...crun, 'run', '--bundle', bundle, '--pid-file', pidFile, id];
  let ended = false;
  const waiting: NodeJS.Signals[] = [];
  // crun names the first process once it is there; a signal from before waits.
  const watcher = watch(bundle, () => {
    if (ended || pidIn(pidFile) === null) return;
    watcher.close();
    for (const signal of waiting) kill(signal);
  });

  const child = spawn('/bin/bash', ['--norc', '-c', JOIN, 'bash', ...joinFiles, '--', ...command], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'], // never /dev/null: crun would give the host's to the user inside
  });
  child.stdin.on('error', () => {}); // a program that ends without reading
  if (stdin === 'ignore') child.stdin.end();

  function kill(signal: NodeJS.Signals): void {
    if (ended) return;
    const pid = pidIn(pidFile);
    if (pid !== null) send(pid, signal);
    else if (signal === 'SIGKILL') child.kill('SIGKILL');
    else waiting.push(signal);
  }

  const exited = new Promise<Exit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      ended = true;
      watcher.close();
      void (signal === null ? Promise.resolve() : endInside(pidFile))
        .then(async () => await rm(bundle, { recursive: true, force: true }))
        .catch(() => {}) // the run's directory goes as a whole
        .then(() => resolve(exitOf(code, signal)));
    };
    child.once('exit', end);
    child.once('error', () => end(127, null));
  });
  return {
    pid: child.pid ?? -1,
    stdin: stdin === 'pipe' ? child.stdin : null,
    stdout: child.stdout,
    stderr: child.stderr,
    exited,
    kill,
  };
}

// A crun that is killed leaves what it started: it ends with the first process inside.
async function endInside(pidFile: string): Promise<void> {
  const pid = pidIn(pidFile);
  if (pid === null) return;
  const bornAt = startTimeOf(pid);
  if (bornAt === null) return;
  send(pid, 'SIGKILL');
  const giveUp = performance.now() + GIVE_UP_MS;
  while (startTimeOf(pid) === bornAt && performance.now() < giveUp) await delay(1);
}

function pidIn(file: string): number | null {
  try {
    return Number(readFileSync(file, 'utf8')) || null;
  } catch {
    return null; // it had not begun
  }
}
