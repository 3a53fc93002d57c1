// Hears what host names the programs in a `bubblewrap` sandbox ask for: each program waits at its start until a name server
// listens in its network namespace, and names are looked up there. The sandbox itself stays as it is. Used by conformance.ts.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { SandboxProcess } from '../../sandbox/sandbox.ts';
import type { ScratchSandbox } from '../scratch.ts';

export interface DnsSink {
  /** The same sandbox; what is started by it is heard. */
  sandbox: ScratchSandbox;
  /** The names asked for so far, each once. */
  names(): string[];
  close(): Promise<void>;
}

const SINK = join(import.meta.dirname, '../fixtures/dns-sink.ts');
const WAIT = 'read -r _; exec "$@"';
// The sandbox lets libc look into /etc/hosts alone; here it shall ask as it would anywhere else.
const ASK = 'echo "hosts: files dns" > /tmp/.nsswitch && mount --bind /tmp/.nsswitch /etc/nsswitch.conf';
const START_MS = 10_000;

/** Only root may enter the network of a sandbox: under another user it belongs to a namespace that nobody outside can name. */
export const canHear = process.getuid?.() === 0;

/** Puts a name server beside every program that is started from now on. */
export function hearNames(sandbox: ScratchSandbox): DnsSink {
  const heard = new Set<string>();
  const sinks: ChildProcess[] = [];

  async function listen(mark: string): Promise<void> {
    const pid = await waitingProgram(sandbox, mark);
    const enter = ['--target', String(pid), '--net'];
    await promisify(execFile)('nsenter', [...enter, '--mount', 'sh', '-c', ASK]);
    const sink = spawn('nsenter', [...enter, process.execPath, SINK], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    sinks.push(sink);
    const lines = createInterface(sink.stdout);
    await once(lines, 'line');
    lines.on('line', (name) => heard.add(name));
  }

  return {
    sandbox: {
      ...sandbox,
      spawn(argv, options) {
        const mark = randomUUID();
        const held = sandbox.spawn(['/bin/sh', '-c', WAIT, mark, ...argv], { ...options, stdin: 'pipe' });
        const input = new PassThrough();
        if (options.stdin !== 'pipe') input.end();
        listen(mark).then(
          () => {
            held.stdin?.write('\n');
            input.pipe(held.stdin!);
          },
          () => held.kill('SIGKILL'),
        );
        return { ...held, stdin: options.stdin === 'pipe' ? input : null } satisfies SandboxProcess;
      },
    },
    names: () => [...heard].toSorted(),
    async close() {
      for (const sink of sinks) {
        const ended = sink.exitCode === null && sink.signalCode === null ? once(sink, 'exit') : null;
        sink.kill('SIGKILL');
        await ended;
      }
    },
  };
}

/** The program with this mark, once it is where it waits. */
async function waitingProgram(sandbox: ScratchSandbox, mark: string): Promise<number> {
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline) {
    const pid = sandbox
      .processes()
      .find((each) => commandOf(each).startsWith(`/bin/sh\0-c\0${WAIT}\0${mark}\0`));
    if (pid !== undefined) return pid;
    await wait(5);
  }
  throw new Error('the program does not start');
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it is gone
  }
}
