// Runs the project's own commands in a sandbox and says what came of each. Used on the base, on the agent's work tree and on the result.
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CheckResult } from '../../protocol/run.ts';
import type { VerifyCommand } from '../../protocol/project.ts';
import { clean, outputEvents } from '../agents/output-events.ts';
import type { RunEventInput } from '../agents/coding-agent.ts';
import type { Exit, Sandbox } from '../sandbox/sandbox.ts';

export interface VerifyOptions {
  timeoutSeconds: number;
  /** Output of one command that is kept in the log; what comes beyond is counted only. */
  outputBytes: number;
  /** Where a repository lies in the work tree, for commands that run in one. */
  folderOf(repository: string): string;
  emit(event: RunEventInput): void;
  signal: AbortSignal;
}

/** Of the output, in a CheckResult. */
const TAIL_BYTES = 16 * 1024;
/** For output that is still in the pipe when the command has ended. */
const DRAIN_MS = 1_000;
const KILL_MS = 2_000;

/** All commands, one after the other; each gets its result, whatever the others did. */
export async function runChecks(
  sandbox: Sandbox,
  commands: VerifyCommand[],
  options: VerifyOptions,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const command of commands) results.push(await runCheck(sandbox, command, options));
  return results;
}

/** One command by `sh -c` at the root of the work tree, or of the repository that it names. Throws only when the run itself stops. */
export async function runCheck(
  sandbox: Sandbox,
  { name, command, in: repository }: VerifyCommand,
  options: VerifyOptions,
): Promise<CheckResult> {
  const { timeoutSeconds, outputBytes, folderOf, emit, signal } = options;
  signal.throwIfAborted();
  const source = `verify:${name}`;
  const started = performance.now();
  const cwd =
    repository === undefined ? sandbox.workspace : path.join(sandbox.workspace, folderOf(repository));
  const child = sandbox.spawn(['sh', '-c', command], { cwd, env: { CI: 'true' }, egress: true });
  const sink = outputEvents(
    (text) => emit({ type: 'output', source, text }),
    (text) => emit({ type: 'notice', text: `${source}: ${text}.` }),
    outputBytes,
  );
  let tail = Buffer.alloc(0);
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      sink.write(chunk);
      tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES);
    });
    stream.on('error', () => {});
  }
  const drained = Promise.all(
    [child.stdout, child.stderr].map(
      async (stream) => await new Promise<void>((resolve) => stream.once('close', resolve)),
    ),
  );
  const exit = await endOf(child.exited, timeoutSeconds * 1000, signal);
  const timedOut = exit === null && !signal.aborted;
  if (timedOut) child.kill('SIGTERM');
  if (timedOut) await Promise.race([child.exited, delay(KILL_MS, undefined, { ref: false })]);
  child.kill('SIGKILL'); // what it left in the background holds the pipes open
  await Promise.race([drained, delay(DRAIN_MS, undefined, { ref: false })]);
  child.stdout.destroy();
  child.stderr.destroy();
  sink.end();
  signal.throwIfAborted();
  const status = exit === null ? 'timed-out' : exit.code === 0 ? 'passed' : 'failed';
  const note =
    exit === null
      ? `\n[ended after ${timeoutSeconds} s]`
      : exit.signal === null
        ? ''
        : `\n[ended by ${exit.signal}]`;
  const output = clean(tail.toString()).slice(-(TAIL_BYTES - note.length)) + note;
  return {
    status,
    exitCode: exit?.code ?? null,
    durationMs: Math.round(performance.now() - started),
    output,
  };
}

// Null when the time is up or the run stops.
async function endOf(exited: Promise<Exit>, timeoutMs: number, signal: AbortSignal): Promise<Exit | null> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(Math.min(timeoutMs, 2 ** 31 - 1))]);
  return await Promise.race([
    exited,
    new Promise<null>((resolve) => {
      limit.addEventListener('abort', () => resolve(null), { once: true });
    }),
  ]);
}
