// A temporary place with a fake orchestrator and a real worker process, for tests. Its end asserts that nothing is left behind.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fakeOrchestrator, type FakeOrchestrator } from './fake-orchestrator.ts';

export interface Workplace extends AsyncDisposable {
  fake: FakeOrchestrator;
  directory: string;
  stateDir: string;
  /** Starts a worker process over the state directory. */
  worker(concurrency?: number): ChildProcess;
  /** Starts a runner service over the state directory, by a socket of systemd or by itself, and a worker that has its runs started there. */
  runnerService(by?: 'systemd'): ChildProcess;
  claimer(flags?: Record<string, string | number>): ChildProcess;
  /** Waits for the end of a process that is to end by itself; its exit code. */
  endOf(child: ChildProcess): Promise<number | null>;
  /** Process id of a run's runner, once it has said so. */
  runnerOf(run: string): number | null;
  /** Output of all workers so far. */
  output(): string;
}

/** A place with a repository of these files. */
export async function workplace(files: Record<string, string>, gatewayUrl?: string): Promise<Workplace> {
  const directory = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'autocode-worker-')));
  const fake = await fakeOrchestrator(directory, files, gatewayUrl);
  const stateDir = path.join(directory, 'state');
  writeFileSync(path.join(directory, 'token'), 'worker-token\n', { mode: 0o600 });
  const children: ChildProcess[] = [];
  let output = '';
  const inState = { 'state-dir': 'state', 'tool-dir': 'tools', 'log-dir': 'logs' };
  const toClaim = { url: fake.url, 'token-file': 'token', name: 'w1' };
  const socket = path.join(directory, 'runner.sock');

  function start(
    program: string,
    flags: Record<string, string | number>,
    starter: string[] = [],
  ): ChildProcess {
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const file = path.join(import.meta.dirname, '..', program);
    const [command, ...words] = [...starter, process.execPath, file, ...args] as [string, ...string[]];
    const child = spawn(command, words, {
      cwd: directory,
      env: {
        PATH: process.env.PATH,
        HOME: directory,
        NODE_COMPILE_CACHE: path.join(os.tmpdir(), 'autocode-test-compile-cache'),
        SECRET_OF_THE_HOST: 'host-secret',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => (output += piece.toString()));
    children.push(child);
    return child;
  }

  return {
    fake,
    directory,
    stateDir,
    output: () => output,
    worker: (concurrency = 1) => start('main.ts', { ...toClaim, ...inState, concurrency }),
    runnerService(by) {
      const flags = { url: fake.url, ...inState };
      return by === undefined
        ? start('runner-service/main.ts', { ...flags, socket })
        : start('runner-service/main.ts', flags, ['systemd-socket-activate', '--listen', socket]);
    },
    claimer: (flags = {}) =>
      start('main.ts', { ...toClaim, concurrency: 1, 'runner-socket': socket, ...flags }),
    async endOf(child) {
      if (child.exitCode === null) await once(child, 'exit');
      children.splice(children.indexOf(child), 1);
      return child.exitCode;
    },
    runnerOf(run) {
      try {
        return (
          JSON.parse(readFileSync(path.join(stateDir, 'runs', run, 'runner.json'), 'utf8')) as { pid: number }
        ).pid;
      } catch {
        return null;
      }
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) await endWorker(child, 'SIGTERM');
      const clean = children
        .filter((child) => child.exitCode !== null)
        .every((child) => child.exitCode === 0);
      await fake.close();
      const runs = path.join(stateDir, 'runs');
      const left = () => (existsSync(runs) ? readdirSync(runs) : []);
      const deadline = Date.now() + 5_000;
      while ((left().length > 0 || processesWith(directory).length > 0) && Date.now() < deadline)
        await delay(20);
      const processes = processesWith(directory);
      const kept = left();
      for (const pid of processes) process.kill(pid, 'SIGKILL');
      rmSync(directory, { recursive: true, force: true });
      assert.deepEqual(kept, [], `runs are left in the state directory\n${output}`);
      assert.deepEqual(processes, [], 'processes are left');
      assert.ok(clean, `a worker did not end cleanly\n${output}`);
    },
  };
}

/** Ends a worker process and waits until it is gone. */
export async function endWorker(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** Live processes whose arguments, environment or working directory name the place. */
export function processesWith(directory: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .filter((pid) => {
      try {
        if (readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ')) return false;
        return ['cmdline', 'environ'].some((file) =>
          readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(directory),
        );
      } catch {
        return false;
      }
    });
}
