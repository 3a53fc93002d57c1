// A program that is started anew for each turn: fed, listened to, cancelled, and let go of when it has ended.
// Used by CommandAgent and CliAgent.
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Exit, SandboxProcess } from '../sandbox/sandbox.ts';
import type { AgentContext } from './coding-agent.ts';

const CANCEL_GRACE_MS = 1000;
/** A child left behind may hold the pipes open; so long what is in them is read after the exit. */
const DRAIN_MS = 500;

export interface TurnProgram {
  argv: string[];
  env: Record<string, string>;
  /** What it reads on stdin, which is closed otherwise. */
  input: string | null;
  stdout: Sink;
  stderr: Sink;
}

interface Sink {
  write(chunk: Buffer): void;
}

export interface TurnRunner {
  /** Runs a program to its end. An abort of the run's signal ends it, and all that it started. */
  run(program: TurnProgram): Promise<Exit>;
  /** Ends the program that runs now. */
  stop(): Promise<void>;
}

/** Runs one program at a time in the agent's sandbox; all that they print goes to the raw log too. */
export function turnRunner(context: AgentContext): TurnRunner {
  const { sandbox, signal } = context;
  let running: SandboxProcess | null = null;

  async function cancel(process: SandboxProcess, ended: AbortSignal): Promise<void> {
    process.kill('SIGTERM');
    await wait(CANCEL_GRACE_MS, undefined, { signal: ended }).catch(() => {});
    if (!ended.aborted) await sandbox.killAll();
  }

  async function read(from: AsyncIterable<Buffer>, to: Sink): Promise<void> {
    for await (const chunk of from) {
      context.raw(chunk);
      to.write(chunk);
    }
  }

  return {
    async run({ argv, env, input, stdout, stderr }) {
      const process = sandbox.spawn(argv, {
        env,
        stdin: input === null ? 'ignore' : 'pipe',
        gateway: true,
        egress: true,
      });
      running = process;
      const ended = new AbortController();
      const onAbort = () => void cancel(process, ended.signal);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });

      const outputs = Promise.allSettled([read(process.stdout, stdout), read(process.stderr, stderr)]);
      // A program need not read its stdin.
      const fed = process.stdin && input !== null ? pipeline([input], process.stdin).catch(() => {}) : null;

      const exit = await process.exited;
      if (!(await settlesWithin(outputs, DRAIN_MS))) {
        process.kill('SIGKILL');
        process.stdout.destroy();
        process.stderr.destroy();
      }
      process.stdin?.destroy();
      await Promise.all([outputs, fed]);
      ended.abort();
      signal.removeEventListener('abort', onAbort);
      running = null;
      return exit;
    },

    async stop() {
      running?.kill('SIGKILL');
      await running?.exited;
    },
  };
}

/** True when the promise settles in time. */
async function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const timer = new AbortController();
  const late = wait(milliseconds, false, { signal: timer.signal }).catch(() => false);
  return Promise.race([promise.then(() => true), late]).finally(() => timer.abort());
}
