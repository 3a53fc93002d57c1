// Isolation `directory`: none. The agent has the rights of the worker; only its environment, its home and its processes are
// kept apart. For projects marked trusted; the pipeline says so aloud in every run.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { endProcesses, MARK_NAME, processesOf, send, type ProcessScope } from '../run-processes.ts';
import type { Exit, Sandbox, SandboxProcess, SpawnOptions } from './sandbox.ts';

export interface DirectorySandboxOptions {
  run: string;
  tree: string;
  home: string;
  tmp: string;
  gatewayUrl: string;
  /** Directory with the installed agents. */
  toolDir: string;
  /** PATH of the programs inside. */
  path: string;
  processes: ProcessScope;
}

const GRACE_MS = 500;

/** Opens the sandbox over a work tree that exists; home and scratch directory are made. */
export async function openDirectorySandbox(options: DirectorySandboxOptions): Promise<Sandbox> {
  const { run, tree, home, tmp, gatewayUrl, toolDir, path, processes } = options;
  await mkdir(home, { recursive: true, mode: 0o700 });
  await mkdir(tmp, { recursive: true, mode: 0o700 });
  const environment = {
    PATH: path,
    HOME: home,
    TMPDIR: tmp,
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    AUTOCODE_RUN: run,
    [MARK_NAME]: processes.mark,
  };
  const groups = new Set<number>();

  function start(argv: string[], { cwd = tree, env = {}, stdin = 'ignore' }: SpawnOptions): SandboxProcess {
    const [program = '', ...rest] = argv;
    let child: ChildProcess;
    try {
      child = spawn(program, rest, {
        cwd,
        env: { ...environment, ...env },
        detached: true,
        stdio: [stdin, 'pipe', 'pipe'],
      });
    } catch (error) {
      return notStarted(program, error as Error);
    }
    const { pid } = child;
    if (pid === undefined) return notStarted(program, child);
    groups.add(pid);
    const exited = new Promise<Exit>((resolve) => {
      child.once('exit', (code, signal) => {
        groups.delete(pid); // its number may be another group's from now on
        resolve({ code, signal });
      });
    });
    child.stdin?.on('error', () => {}); // a program that ends without reading
    child.on('error', () => {});
    return {
      pid,
      stdin: child.stdin,
      stdout: child.stdout!,
      stderr: child.stderr!,
      exited,
      kill: (signal) => send(-pid, signal),
    };
  }

  const killAll = async () => await endProcesses(() => processesOf(processes, groups), GRACE_MS);
  return {
    kind: 'directory',
    workspace: tree,
    home,
    gatewayUrl,
    toolDir,
    node: process.execPath,
    hostProgram: (program) => [program],
    notices: [
      'There is no isolation (`directory`): the agent and the verify commands have the rights of the worker.',
    ],
    spawn: start,
    used: null,
    killAll,
    close: killAll,
  };
}

/** A program that cannot be started looks like one that a shell does not find: 127 and a line on stderr. */
export function notStarted(program: string, cause: Error | ChildProcess): SandboxProcess {
  const words =
    cause instanceof Error
      ? Promise.resolve(cause)
      : new Promise<Error>((resolve) => {
          cause.once('error', resolve);
        });
  const stderr = Readable.from(
    (async function* () {
      yield Buffer.from(`${program}: cannot be started: ${(await words).message}\n`);
    })(),
  );
  const exited = words.then(() => ({ code: 127, signal: null }));
  return { pid: -1, stdin: null, stdout: Readable.from([]), stderr, exited, kill: () => {} };
}
