// One program in a sandbox: bwrap is started in the control group, given its arguments out of sight, and signals are sent to
// the program's own process group inside. Used by bubblewrap.ts.
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { send, startTimeOf } from '../run-processes.ts';
import { withoutRights } from '../workspace/overlay.ts';
import { exitOf } from './exit-of.ts';
import type { Exit, SandboxProcess } from './sandbox.ts';
import { JOIN, START } from './start-scripts.ts';

export interface Confinement {
  bwrap: string;
  filter: Buffer;
  /** A process joins a control group by writing 0 to each. */
  joinFiles: string[];
  /** Goes before the program inside. */
  prefix: string[];
}

export interface Program {
  argv: string[];
  cwd: string;
  stdin: 'pipe' | 'ignore';
  /** Arguments for bwrap. */
  settings: string[];
  /** Lines of ways.ts; empty for no way out. */
  relays: string;
}

const GIVE_UP_MS = 10_000;

const ARGUMENTS_FD = 3;
const FILTER_FD = 4;
const INFO_FD = 5;

/** Starts a program. Never throws; what cannot be set up or started exits with a code and a line on stderr. */
export function startConfined(
  { bwrap, filter, joinFiles, prefix }: Confinement,
  { argv, cwd, stdin, settings, relays }: Program,
): SandboxProcess {
  const command = [
    ...withoutRights,
    bwrap,
    '--args',
    String(ARGUMENTS_FD),
    '--',
    ...prefix,
    '/bin/sh',
    '-c',
    START,
    'sh',
    relays,
    cwd,
    ...argv,
  ];
  const child = spawn('/bin/bash', ['--norc', '-c', JOIN, 'bash', ...joinFiles, '--', ...command], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: [stdin, 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const extra: readonly (Readable | Writable | null | undefined)[] = child.stdio;
  for (const stream of extra) stream?.on('error', () => {}); // it may end before it reads
  const descriptors = ['--seccomp', FILTER_FD, '--info-fd', INFO_FD].map(String);
  (extra[ARGUMENTS_FD] as Writable).end([...settings, ...descriptors].map((each) => `${each}\0`).join(''));
  (extra[FILTER_FD] as Writable).end(filter);

  let ended = false;
  let inside: number | null = null;
  let bornAt: string | null = null;
  const waiting: NodeJS.Signals[] = [];
  readInfo(extra[INFO_FD] as Readable, (pid) => {
    inside = pid;
    bornAt = startTimeOf(pid);
    for (const signal of waiting) kill(signal);
  });

  // The first process inside leads the group of all; the kernel delivers it only SIGKILL, which ends the namespace with it.
  function kill(signal: NodeJS.Signals): void {
    if (ended) return;
    if (inside !== null) send(-inside, signal);
    else if (signal === 'SIGKILL') child.kill('SIGKILL');
    else waiting.push(signal);
  }

  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = true;
      void untilGone(inside, bornAt).then(() => resolve(exitOf(code, signal)));
    });
    child.once('error', () => resolve({ code: 127, signal: null }));
  });
  return {
    pid: child.pid ?? -1,
    stdin: child.stdin,
    stdout: child.stdout!,
    stderr: child.stderr!,
    exited,
    kill,
  };
}

// bwrap ends a moment before what the program left behind: that dies with the first process inside, which is gone when all are.
async function untilGone(pid: number | null, bornAt: string | null): Promise<void> {
  if (pid === null || bornAt === null) return;
  const giveUp = performance.now() + GIVE_UP_MS;
  while (startTimeOf(pid) === bornAt && performance.now() < giveUp) await delay(1);
}

/** bwrap says once which process it started, as {"child-pid": 4711, …}. */
function readInfo(stream: Readable, tell: (pid: number) => void): void {
  let text: string | null = '';
  stream.on('data', (chunk: Buffer) => {
    if (text === null) return; // read to the end all the same: bwrap is not to meet a closed pipe
    text += chunk.toString();
    const [, pid] = /"child-pid": (\d+)/.exec(text) ?? [];
    if (pid === undefined) return;
    text = null;
    tell(Number(pid));
  });
}
