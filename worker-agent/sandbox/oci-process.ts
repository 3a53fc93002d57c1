// One program in a container: the OCI runtime is started in the control group with a bundle of its own; signals are brought to the
// process group inside, which the program shares with the first process. Used by container.ts.
import { execFile, spawn } from 'node:child_process';
import { readFileSync, watch } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { send, startTimeOf } from '../run-processes.ts';
import { exitOf } from './exit-of.ts';
import type { OciRuntime } from './oci-runtimes.ts';
import type { Exit, SandboxProcess } from './sandbox.ts';
import { JOIN } from './start-scripts.ts';

export interface ContainedProgram {
  /** The runtime, up to its verb. */
  command: string[];
  signals: OciRuntime['signals'];
  joinFiles: string[];
  /** A directory of its own with config.json, absolute; it is removed at the end. */
  bundle: string;
  /** No other of this bundle's state has it. */
  id: string;
  stdin: 'pipe' | 'ignore';
}

const GIVE_UP_MS = 10_000;
const POLL_MS = 10;

const run = promisify(execFile);

/** Starts a program. Never throws; what cannot be set up exits with a code and a line on stderr. */
export function startContained({
  command,
  signals,
  joinFiles,
  bundle,
  id,
  stdin,
}: ContainedProgram): SandboxProcess {
  const pidFile = path.join(bundle, 'pid');
  const words = [...command, 'run', '--bundle', bundle, '--pid-file', pidFile, id];
  let ended = false;
  const waiting: NodeJS.Signals[] = [];
  // The runtime names what it started once it is there; a signal from before waits.
  const watcher = watch(bundle, () => {
    if (ended || pidIn(pidFile) === null) return;
    watcher.close();
    for (const signal of waiting) kill(signal);
  });

  const child = spawn('/bin/bash', ['--norc', '-c', JOIN, 'bash', ...joinFiles, '--', ...words], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'], // never /dev/null: crun would give the host's to the user inside
  });
  child.stdin.on('error', () => {}); // a program that ends without reading
  if (stdin === 'ignore') child.stdin.end();

  let told = Promise.resolve();
  // It is refused until the first process inside has begun.
  const tell = async (signal: NodeJS.Signals) => {
    const [program, ...rest] = [...command, 'kill', '--pgid', '1', id, signal.slice('SIG'.length)];
    while (!ended) {
      try {
        return void (await run(program, rest, { env: {}, timeout: GIVE_UP_MS }));
      } catch {
        await delay(POLL_MS);
      }
    }
  };

  function kill(signal: NodeJS.Signals): void {
    if (ended) return;
    const pid = pidIn(pidFile);
    // Of a runtime with a kernel of its own, what it started is that kernel.
    if (pid === null || signals === 'runtime') {
      if (signal === 'SIGKILL') child.kill('SIGKILL');
      else if (pid === null) waiting.push(signal);
      else told = told.then(async () => await tell(signal));
    } else send(signal === 'SIGKILL' ? pid : -pid, signal);
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

// A runtime that is killed leaves what it started: that ends with the first process inside, or with the kernel that it is in.
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
