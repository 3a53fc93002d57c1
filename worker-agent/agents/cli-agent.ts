// Any agent that is a command line taking one prompt: a process for each turn, which goes on with the same conversation where
// the program can. What differs between them is in cli-profiles/.
import { join, relative } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import type { AgentTokens } from '../../protocol/run.ts';
import type { Exit } from '../sandbox/sandbox.ts';
import { writeInHome } from '../sandbox/write-inside.ts';
import { exitText, isBudgetRefusal } from './acp-failure.ts';
import type { CliProfile, Fact } from './cli-profiles/profile.ts';
import { type AgentContext, CodingAgent, type Phase, type TurnResult } from './coding-agent.ts';
import { installDirectory } from './installed.ts';
import { jsonLines } from './json-lines.ts';
import { type Normaliser, normaliser } from './normalise.ts';
import { type TurnRunner, turnRunner } from './one-turn.ts';
import { outputEvents } from './output-events.ts';
import type { LaunchInput } from './profiles/profile.ts';

const ANSWER_MS = 60_000;

type Ending = Extract<Fact, { ended: unknown }>;

export class CliAgent extends CodingAgent {
  readonly name: string;
  readonly plans: boolean;
  readonly #profile: CliProfile;
  readonly #runner: TurnRunner;
  readonly #normaliser: Normaliser;
  #launch: { input: LaunchInput; program: string[]; env: Record<string, string> } | null = null;
  #session: string | null = null;
  #overBudget: string | null = null;

  constructor(context: AgentContext, profile: CliProfile) {
    super(context);
    this.name = profile.name;
    this.plans = profile.plans;
    this.#profile = profile;
    this.#runner = turnRunner(context);
    this.#normaliser = normaliser(context.sandbox.workspace, context);
  }

  /** Has in later turns what was said in earlier ones. */
  override get remembers(): boolean {
    return true;
  }

  async start(): Promise<{ version: string | null }> {
    const { sandbox, agent, toolDir } = this.context;
    const installed = await installDirectory(this.name, toolDir);
    const input: LaunchInput = {
      installed: join(sandbox.toolDir, relative(toolDir, installed)),
      node: sandbox.node,
      home: sandbox.home,
      gatewayUrl: sandbox.gatewayUrl,
      model: agent.model,
    };
    const { env, files } = this.#profile.settings(input);
    for (const [path, text] of Object.entries(files)) await writeInHome(sandbox, path, text);
    this.#launch = { input, program: this.#profile.program(input), env };
    const version = await this.#askVersion(this.#launch);
    if (this.#profile.version !== null && version !== this.#profile.version)
      throw this.#notStarted(`it is version ${version ?? 'unknown'}, but ${this.#profile.version} is pinned`);
    return { version };
  }

  async #askVersion({
    program,
    env,
  }: {
    program: string[];
    env: Record<string, string>;
  }): Promise<string | null> {
    const printed = { stdout: '', stderr: '' };
    const into = (which: keyof typeof printed) => ({
      write: (chunk: Buffer) => void (printed[which] = (printed[which] + String(chunk)).slice(-2000)),
    });
    const late = setTimeout(() => void this.#runner.stop(), ANSWER_MS);
    const exit = await this.#runner.run({
      argv: [...program, '--version'],
      env,
      input: null,
      stdout: into('stdout'),
      stderr: into('stderr'),
    });
    clearTimeout(late);
    if (this.context.signal.aborted) throw this.#notStarted('the run was ended while it started');
    if (exit.code !== 0) throw this.#notStarted(`the program ${exitText(exit, printed.stderr.trim())}`);
    return /\d+\.\d+\.\d+[-+.\w]*/.exec(printed.stdout)?.[0] ?? null;
  }

  async runTask({ phase, prompt }: { phase: Phase; prompt: string }): Promise<TurnResult> {
    const { sandbox, agent, signal } = this.context;
    const launch = this.#launch;
    if (signal.aborted || launch === null) return { stop: 'cancelled', text: '', error: null };
    const promptFile = await writeInHome(sandbox, `${phase}-prompt.md`, prompt).catch(
      (error: Error) => error,
    );
    if (promptFile instanceof Error) return this.#result({ ended: 'failed', error: promptFile.message });
    const turn = { ...launch.input, agent, phase, prompt, promptFile, session: this.#session };
    const { args, input } = this.#profile.turn(turn);
    return this.#result(await this.#run([...launch.program, ...args], launch.env, input));
  }

  /** Runs the program; answers how the turn ended, as the program says or else by its exit. */
  async #run(argv: string[], env: Record<string, string>, input: string | null): Promise<Ending> {
    let ending: Ending | null = null;
    const text = this.#output('agent:stdout');
    const stderr = this.#output('agent:stderr');
    const stdout = jsonLines({
      object: (line) => {
        for (const fact of this.#profile.read(line)) {
          if ('update' in fact) this.#normaliser.update(fact.update);
          else if ('usage' in fact) this.#spend(fact.usage);
          else if ('session' in fact) this.#session = fact.session;
          else if ('output' in fact) text.write(Buffer.from(fact.output));
          else ending = fact;
        }
      },
      stray: (line) => text.write(line),
      tooLong: () => {
        ending = { ended: 'failed', error: 'it printed a line of more than 16 MiB' };
        void this.#runner.stop();
      },
    });
    const exit = await this.#runner.run({ argv, env, input, stdout, stderr });
    stdout.end();
    text.end();
    stderr.end();
    return ending ?? { ended: 'failed', error: this.#unexplained(exit, stderr.tail() || text.tail()) };
  }

  #unexplained(exit: Exit, printed: string): string {
    return exit.code === 0
      ? `the program ended without a result${printed ? `: ${printed}` : ''}`
      : `the program ${exitText(exit, printed)}`;
  }

  #result({ ended, error }: Ending): TurnResult {
    const text = this.#normaliser.endTurn();
    if (this.context.signal.aborted) return { stop: 'cancelled', text, error: null };
    if (error === null) return { stop: ended, text, error };
    if (isBudgetRefusal(error)) this.#overBudget = error;
    const remedy = this.#profile.remedies?.find((each) => each.error.test(error))?.remedy;
    const message = [`${this.#profile.title}: ${error}`, remedy].filter(Boolean).join('. ');
    if (ended === 'failed') this.context.emit({ type: 'error', message });
    return { stop: ended, text, error: message };
  }

  #output(source: string) {
    const { emit } = this.context;
    return outputEvents(
      (text) => emit({ type: 'output', source, text }),
      (text) => emit({ type: 'notice', text: `${source}: ${text}` }),
    );
  }

  #spend({ inputTokens, cachedTokens, outputTokens }: AgentTokens): void {
    this.#normaliser.turnUsage({
      inputTokens: inputTokens - cachedTokens,
      cachedReadTokens: cachedTokens,
      outputTokens,
      totalTokens: inputTokens + outputTokens,
    });
  }

  counted(): AgentTokens | null {
    return this.#normaliser.counted();
  }

  protected refusal(): string | null {
    return this.#overBudget;
  }

  async stop(): Promise<void> {
    await this.#runner.stop();
  }

  #notStarted(why: string): AutocodeError {
    return new AutocodeError('ERR_AGENT_FAILED', `${this.#profile.title} did not start: ${why}`, {
      remedy: `Run \`autocode agent check ${this.name}\`.`,
    });
  }
}
