// The `command` agent: any program of the user's. It gets the task on stdin and in a file, works in the work tree,
// and tells by its exit code whether it succeeded.
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Exit, SandboxProcess } from '../sandbox/sandbox.ts';
import { writeInHome } from '../sandbox/write-inside.ts';
import { exitText } from './acp-failure.ts';
import { CodingAgent, type Phase, type SpendingReport, type TurnResult } from './coding-agent.ts';
import { outputEvents } from './output-events.ts';
import { PLACEHOLDER_KEY } from './profiles/profile.ts';

const CANCEL_GRACE_MS = 1000;
/** A child left behind may hold the pipes open; so long what is in them is read after the exit. */
const DRAIN_MS = 500;

export class CommandAgent extends CodingAgent {
  readonly name = 'command';
  readonly plans = false;
  #process: SandboxProcess | null = null;

  async start(): Promise<{ version: string | null }> {
    if (!this.context.agent.command?.length) {
      throw new AutocodeError('ERR_INVALID_INPUT', 'The agent `command` has no program to run.', {
        remedy: 'Give the project one, as in `autocode project set NAME --agent-command ./fix.sh`.',
      });
    }
    return { version: null };
  }

  async runTask(turn: { phase: Phase; prompt: string }): Promise<TurnResult> {
    const { sandbox, agent, signal, emit, raw } = this.context;
    if (signal.aborted) return { stop: 'cancelled', text: '', error: null };
    let promptFile: string;
    try {
      promptFile = await writeInHome(sandbox, `${turn.phase}-prompt.md`, turn.prompt);
    } catch (error) {
      return { stop: signal.aborted ? 'cancelled' : 'failed', text: '', error: (error as Error).message };
    }
    if (signal.aborted) return { stop: 'cancelled', text: '', error: null };
    const process = sandbox.spawn(agent.command ?? [], {
      stdin: 'pipe',
      gateway: true,
      env: {
        AUTOCODE_PHASE: turn.phase,
        AUTOCODE_PROMPT_FILE: promptFile,
        AUTOCODE_MODEL: agent.model,
        OPENAI_BASE_URL: `${sandbox.gatewayUrl}/v1`,
        OPENAI_API_KEY: PLACEHOLDER_KEY,
        ANTHROPIC_BASE_URL: sandbox.gatewayUrl,
        ANTHROPIC_AUTH_TOKEN: PLACEHOLDER_KEY,
      },
    });
    this.#process = process;
    const ended = new AbortController();
    const onAbort = () => void this.#cancel(process, ended.signal);
    signal.addEventListener('abort', onAbort, { once: true });

    const note = (source: string) => (text: string) => emit({ type: 'notice', text: `${source}: ${text}` });
    const stdout = outputEvents(
      (text) => emit({ type: 'message', role: 'agent', text }),
      note('agent:stdout'),
    );
    const stderr = outputEvents(
      (text) => emit({ type: 'output', source: 'agent:stderr', text }),
      note('agent:stderr'),
    );
    const read = async (from: AsyncIterable<Buffer>, to: typeof stdout) => {
      for await (const chunk of from) {
        raw(chunk);
        to.write(chunk);
      }
    };
    const outputs = Promise.allSettled([read(process.stdout, stdout), read(process.stderr, stderr)]);
    // A program need not read its stdin.
    const input = process.stdin ? pipeline([turn.prompt], process.stdin).catch(() => {}) : null;

    const exit = await process.exited;
    if (!(await settlesWithin(outputs, DRAIN_MS))) {
      process.kill('SIGKILL');
      process.stdout.destroy();
      process.stderr.destroy();
    }
    process.stdin?.destroy();
    await Promise.all([outputs, input]);
    stdout.end();
    stderr.end();
    ended.abort();
    signal.removeEventListener('abort', onAbort);
    this.#process = null;
    return this.#result(exit, stdout.tail(), stderr.tail());
  }

  #result(exit: Exit, text: string, stderr: string): TurnResult {
    if (this.context.signal.aborted) return { stop: 'cancelled', text, error: null };
    if (exit.code === 0) return { stop: 'done', text, error: null };
    const program = this.context.agent.command?.[0];
    const error = `${program} ${exitText(exit, stderr || text)}`;
    this.context.emit({ type: 'error', message: error });
    return { stop: 'failed', text, error };
  }

  async #cancel(process: SandboxProcess, ended: AbortSignal): Promise<void> {
    process.kill('SIGTERM');
    await wait(CANCEL_GRACE_MS, undefined, { signal: ended }).catch(() => {});
    if (!ended.aborted) await this.context.sandbox.killAll();
  }

  /** Nothing: what the program calls is metered at the gateway. */
  spendingReport(): SpendingReport {
    return { inputTokens: 0, cachedTokens: 0, outputTokens: 0 };
  }

  budgetCheck(): { ok: boolean; reason: string | null } {
    return { ok: true, reason: null };
  }

  async stop(): Promise<void> {
    this.#process?.kill('SIGKILL');
    await this.#process?.exited;
  }
}

/** True when the promise settles in time. */
async function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const timer = new AbortController();
  const late = wait(milliseconds, false, { signal: timer.signal }).catch(() => false);
  return Promise.race([promise.then(() => true), late]).finally(() => timer.abort());
}
