// The `command` agent: any program of the user's. It gets the task on stdin and in a file, works in the work tree,
// and tells by its exit code whether it succeeded.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Exit } from '../sandbox/sandbox.ts';
import { writeInHome } from '../sandbox/write-inside.ts';
import { exitText } from './acp-failure.ts';
import { type AgentContext, CodingAgent, type Phase, type TurnResult } from './coding-agent.ts';
import { type TurnRunner, turnRunner } from './one-turn.ts';
import { outputEvents } from './output-events.ts';
import { PLACEHOLDER_KEY } from './profiles/profile.ts';

export class CommandAgent extends CodingAgent {
  readonly name = 'command';
  readonly plans = false;
  readonly #runner: TurnRunner;

  constructor(context: AgentContext) {
    super(context);
    this.#runner = turnRunner(context);
  }

  async start(): Promise<{ version: string | null }> {
    if (!this.context.agent.command?.length) {
      throw new AutocodeError('ERR_INVALID_INPUT', 'The agent `command` has no program to run.', {
        remedy: 'Give the project one, as in `autocode project set NAME --agent-command ./fix.sh`.',
      });
    }
    return { version: null };
  }

  async runTask(turn: { phase: Phase; prompt: string }): Promise<TurnResult> {
    const { sandbox, agent, signal, emit } = this.context;
    if (signal.aborted) return { stop: 'cancelled', text: '', error: null };
    let promptFile: string;
    try {
      promptFile = await writeInHome(sandbox, `${turn.phase}-prompt.md`, turn.prompt);
    } catch (error) {
      return { stop: signal.aborted ? 'cancelled' : 'failed', text: '', error: (error as Error).message };
    }
    if (signal.aborted) return { stop: 'cancelled', text: '', error: null };
    const note = (source: string) => (text: string) => emit({ type: 'notice', text: `${source}: ${text}` });
    const stdout = outputEvents(
      (text) => emit({ type: 'message', role: 'agent', text }),
      note('agent:stdout'),
    );
    const stderr = outputEvents(
      (text) => emit({ type: 'output', source: 'agent:stderr', text }),
      note('agent:stderr'),
    );
    const exit = await this.#runner.run({
      argv: agent.command ?? [],
      env: {
        AUTOCODE_PHASE: turn.phase,
        AUTOCODE_PROMPT_FILE: promptFile,
        AUTOCODE_MODEL: agent.model,
        OPENAI_BASE_URL: `${sandbox.gatewayUrl}/v1`,
        OPENAI_API_KEY: PLACEHOLDER_KEY,
        ANTHROPIC_BASE_URL: sandbox.gatewayUrl,
        ANTHROPIC_AUTH_TOKEN: PLACEHOLDER_KEY,
      },
      input: turn.prompt,
      stdout,
      stderr,
    });
    stdout.end();
    stderr.end();
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

  counted(): null {
    return null;
  }

  protected refusal(): null {
    return null;
  }

  async stop(): Promise<void> {
    await this.#runner.stop();
  }
}
