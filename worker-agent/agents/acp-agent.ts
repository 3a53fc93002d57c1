// Any agent that speaks the Agent Client Protocol over stdio: one process and one session for all turns of a run.
// What differs between agents is in profiles/.
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type ClientConnection,
  client,
  methods,
  PROTOCOL_VERSION,
  type RequestPermissionRequest,
  type RequestPermissionResponse,
  type SessionModeState,
  type SessionUpdate,
} from '@agentclientprotocol/sdk';
import type { PromptResponse } from '@agentclientprotocol/sdk/unstable';
import { AutocodeError } from '../../protocol/errors.ts';
import type { AgentTokens } from '../../protocol/run.ts';
import type { SandboxProcess } from '../sandbox/sandbox.ts';
import { writeInHome } from '../sandbox/write-inside.ts';
import { exitText, failureText, isBudgetRefusal } from './acp-failure.ts';
import { acpStream } from './acp-stream.ts';
import { type AgentContext, CodingAgent, type Phase, type TurnResult } from './coding-agent.ts';
import { installDirectory } from './installed.ts';
import { type Normaliser, normaliser } from './normalise.ts';
import { clean, type OutputEvents, outputEvents } from './output-events.ts';
import { answerPermission, denied, refusal } from './permissions.ts';
import type { LaunchProfile } from './profiles/profile.ts';

/** How long an agent may take to end a cancelled turn before all its processes are killed. */
const CANCEL_GRACE_MS = 1000;
const STOP_GRACE_MS = 500;
/** Some agents end the turn when a tool is refused, without an answer; so often they are asked for it. */
const MAX_REMINDERS = 2;
const REMINDER =
  'That tool is not available now: nothing may be changed or run yet. Answer the request with what you know by now, as it asked.';

const STOPS = {
  end_turn: { stop: 'done', error: null },
  cancelled: { stop: 'cancelled', error: null },
  max_tokens: { stop: 'limit', error: 'the model reached its limit of tokens' },
  max_turn_requests: { stop: 'limit', error: 'the agent reached its limit of model calls' },
  refusal: { stop: 'failed', error: 'the model refused to go on' },
} as const;

export class AcpAgent extends CodingAgent {
  readonly name: string;
  readonly plans = true;
  override readonly asks: boolean;
  readonly #profile: LaunchProfile;
  readonly #startTimeoutMs: number;
  readonly #normaliser: Normaliser;
  readonly #stderr: OutputEvents;
  readonly #strayText: OutputEvents;
  #process: SandboxProcess | null = null;
  #connection: ClientConnection | null = null;
  #session = '';
  #modes: SessionModeState | null = null;
  #phase: Phase = 'plan';
  /** Why tools were refused in this turn. */
  #refused: string[] = [];
  /** Tool calls that the agent has asked about. */
  readonly #asked = new Set<string>();
  /** What the agent did without asking, though it is denied. */
  #unasked: string | null = null;
  #interrupted = false;
  #prompting = false;
  #brokenBy: string | null = null;
  #overBudget: string | null = null;

  constructor(context: AgentContext, profile: LaunchProfile, startTimeoutMs = 60_000) {
    super(context);
    this.name = profile.name;
    this.#profile = profile;
    this.asks = profile.modes === null || profile.modes.ask !== undefined;
    this.#startTimeoutMs = startTimeoutMs;
    this.#normaliser = normaliser(context.sandbox.workspace, context, profile.notices);
    const sink = (source: string) =>
      outputEvents(
        (text) => context.emit({ type: 'output', source, text }),
        (text) => context.emit({ type: 'notice', text: `${source}: ${text}` }),
      );
    this.#stderr = sink('agent:stderr');
    this.#strayText = sink('agent:stdout');
  }

  async start(): Promise<{ version: string | null }> {
    const { sandbox, agent, toolDir, signal } = this.context;
    const installed = await installDirectory(this.name, toolDir);
    const launch = this.#profile.launch({
      installed: join(sandbox.toolDir, relative(toolDir, installed)),
      node: sandbox.node,
      home: sandbox.home,
      gatewayUrl: sandbox.gatewayUrl,
      model: agent.model,
    });
    for (const [path, text] of Object.entries(launch.files)) await writeInHome(sandbox, path, text);
    const process = sandbox.spawn(launch.argv, {
      env: launch.env,
      stdin: 'pipe',
      gateway: true,
      egress: true,
    });
    this.#process = process;
    process.stdin?.on('error', () => {}); // The agent is gone: its exit says so.
    process.stderr.on('data', (chunk: Buffer) => this.#stderr.write(chunk));
    this.#connection = this.#connect(process);
    try {
      return await this.#within(this.#openSession(), this.#startTimeoutMs, signal);
    } catch (error) {
      const failure = error instanceof AutocodeError ? error : this.#failed(await this.#why(error), error);
      await this.stop();
      throw failure;
    }
  }

  #connect(process: SandboxProcess): ClientConnection {
    const stream = acpStream(process, {
      raw: (bytes) => this.context.raw(bytes),
      stray: (text) => this.#strayText.write(Buffer.from(`${text}\n`)),
      broken: (why) => {
        this.#brokenBy = why;
        process.kill('SIGKILL');
      },
    });
    return client({ name: 'autocode' })
      .onRequest(methods.client.session.requestPermission, ({ params }) => this.#answer(params))
      .onNotification(methods.client.session.update, ({ params }) => {
        this.#normaliser.update(params.update);
        this.#watchTools(params.update);
      })
      .connect(stream);
  }

  #answer(request: RequestPermissionRequest): RequestPermissionResponse {
    const { toolCallId: id, kind, title } = request.toolCall;
    const known = this.#normaliser.toolCall(id);
    const why = refusal(this.#phase, kind ?? known?.kind ?? 'other', this.context.permissions);
    this.#asked.add(id);
    if (why !== null) {
      this.#refused.push(why);
      const tool = clean(title ?? known?.title ?? id).slice(0, 500);
      this.context.emit({ type: 'notice', text: `Refused to the agent: ${tool}; ${why}.` });
    }
    return answerPermission(request, why === null);
  }

  /** A tool that is denied and was used all the same ends the turn: the project's permissions hold, or the run fails. */
  #watchTools(update: SessionUpdate): void {
    if (update.sessionUpdate !== 'tool_call' && update.sessionUpdate !== 'tool_call_update') return;
    const { toolCallId: id, status } = update;
    if (status !== 'completed' || this.#phase === 'plan' || this.#asked.has(id)) return;
    const kind = this.#normaliser.toolCall(id)?.kind ?? 'other';
    if (!denied(this.context.permissions).includes(kind)) return;
    this.#unasked = `it used a tool of the kind ${kind} without asking, which the project denies`;
    this.#notifyCancel();
  }

  async #openSession(): Promise<{ version: string | null }> {
    const agent = this.#connection!.agent;
    const { protocolVersion, agentInfo } = await agent.request(methods.agent.initialize, {
      protocolVersion: PROTOCOL_VERSION,
      clientInfo: { name: 'autocode', version: '0' },
      clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
    });
    if (protocolVersion !== PROTOCOL_VERSION) {
      throw this.#failed(
        `it speaks version ${protocolVersion} of the Agent Client Protocol, not ${PROTOCOL_VERSION}`,
      );
    }
    const version = agentInfo?.version ?? null;
    if (this.#profile.version !== null && version !== this.#profile.version) {
      throw this.#failed(`it is version ${version ?? 'unknown'}, but ${this.#profile.version} is pinned`);
    }
    const session = await agent.request(methods.agent.session.new, {
      cwd: this.context.sandbox.workspace,
      mcpServers: [],
      ...(this.#profile.sessionMeta ? { _meta: this.#profile.sessionMeta } : {}),
    });
    this.#session = session.sessionId;
    this.#modes = session.modes ?? null;
    return { version };
  }

  async runTask(turn: { phase: Phase; prompt: string }): Promise<TurnResult> {
    const { signal } = this.context;
    if (signal.aborted) return { stop: 'cancelled', text: '', error: null };
    const cancelled = new AbortController();
    let cancelling: Promise<void> | undefined;
    const onAbort = () => void (cancelling = this.#cancel(cancelled.signal));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#turn(turn);
    } catch (error) {
      const text = this.#normaliser.endTurn();
      if (signal.aborted) return { stop: 'cancelled', text, error: null };
      if (this.#interrupted && this.#isThere()) return { stop: 'interrupted', text, error: null };
      const why = await this.#why(error);
      if (isBudgetRefusal(why)) this.#overBudget = why;
      const message = `${this.#profile.title}: ${why}`;
      this.context.emit({ type: 'error', message });
      return { stop: 'failed', text, error: message };
    } finally {
      this.#prompting = false;
      cancelled.abort();
      signal.removeEventListener('abort', onAbort);
      await cancelling; // the agent may be gone before all that it started
    }
  }

  async #turn(turn: { phase: Phase; prompt: string }): Promise<TurnResult> {
    this.#phase = turn.phase;
    this.#interrupted = false;
    await this.#setMode(turn.phase === 'plan' ? 'plan' : this.#workMode());
    let prompt = turn.prompt;
    for (let reminders = 0; ; reminders++) {
      this.#refused = [];
      const answer = this.#connection!.agent.request(methods.agent.session.prompt, {
        sessionId: this.#session,
        prompt: [{ type: 'text', text: prompt }],
      });
      this.#prompting = true;
      if (this.#interrupted) this.#notifyCancel(); // the message came while the mode was set
      const { stopReason, usage } = (await answer) as PromptResponse;
      if (usage) this.#normaliser.turnUsage(usage);
      const text = this.#normaliser.endTurn();
      const withoutAnswer = (stopReason === 'end_turn' && text.trim() === '') || stopReason === 'cancelled';
      if (this.#unasked !== null) throw new Error(this.#unasked);
      if (stopReason === 'cancelled' && this.#interrupted) return { stop: 'interrupted', text, error: null };
      const refused = this.#refused.at(-1);
      if (
        refused !== undefined &&
        withoutAnswer &&
        reminders < MAX_REMINDERS &&
        !this.context.signal.aborted
      ) {
        prompt = turn.phase === 'plan' ? REMINDER : remindOf(refused);
        continue;
      }
      const { stop, error } = STOPS[stopReason] ?? {
        stop: 'failed',
        error: `the turn ended for "${String(stopReason)}"`,
      };
      if (this.context.signal.aborted) return { stop: 'cancelled', text, error: null };
      if (stop === 'cancelled' && refused !== undefined)
        throw new Error(`it does not go on without a tool that was refused: ${refused}`);
      // Only we cancel: an agent that says so by itself was told to end from elsewhere.
      if (stop === 'cancelled')
        throw new Error('the agent ended the turn as cancelled, though nobody had asked for it');
      return { stop, text, error: error && `${this.#profile.title}: ${error}` };
    }
  }

  #workMode(): 'work' | 'ask' {
    return denied(this.context.permissions).length > 0 ? 'ask' : 'work';
  }

  /** Ends the turn as cancelled; its work so far stays, and so does the session. */
  override interrupt(): void {
    this.#interrupted = true;
    if (this.#prompting) this.#notifyCancel();
  }

  async #setMode(which: 'plan' | 'work' | 'ask'): Promise<void> {
    if (this.#profile.modes === null) return;
    const mode = this.#profile.modes[which];
    if (which === 'ask' && (!mode || !this.#modes))
      throw new Error('it has no mode in which it asks before it uses a tool');
    if (!mode || !this.#modes || this.#modes.currentModeId === mode) return;
    await this.#connection!.agent.request(methods.agent.session.setMode, {
      sessionId: this.#session,
      modeId: mode,
    });
    this.#modes.currentModeId = mode;
  }

  /** Asks the agent to end its turn; kills it, with all that it started, when it does not. */
  async #cancel(ended: AbortSignal): Promise<void> {
    this.#notifyCancel();
    await wait(CANCEL_GRACE_MS, undefined, { signal: ended }).catch(() => {});
    if (!ended.aborted) await this.context.sandbox.killAll();
  }

  #notifyCancel(): void {
    this.#connection?.agent
      .notify(methods.agent.session.cancel, { sessionId: this.#session })
      .catch(() => {});
  }

  #isThere(): boolean {
    return this.#process !== null && !this.#connection?.signal.aborted && this.#brokenBy === null;
  }

  counted(): AgentTokens | null {
    return this.#normaliser.counted();
  }

  protected refusal(): string | null {
    return this.#overBudget;
  }

  async stop(): Promise<void> {
    const process = this.#process;
    if (!process) return;
    this.#process = null;
    process.stdin?.end();
    if (!(await exitsWithin(process, STOP_GRACE_MS))) {
      process.kill('SIGKILL');
      await process.exited;
    }
    this.#connection?.close();
    this.#normaliser.endTurn();
    this.#stderr.end();
    this.#strayText.end();
  }

  /** Waits for a step of the start, at most so long and only while the run goes on. */
  async #within<T>(step: Promise<T>, milliseconds: number, signal: AbortSignal): Promise<T> {
    const over = new AbortController();
    const deadline = wait(milliseconds, undefined, { signal: AbortSignal.any([over.signal, signal]) }).then(
      () => {
        throw this.#failed(`it did not answer within ${milliseconds / 1000} s${this.#printed()}`);
      },
      () => {
        if (signal.aborted) throw this.#failed('the run was ended while it started');
        return new Promise<never>(() => {});
      },
    );
    try {
      return await Promise.race([step, deadline]);
    } finally {
      over.abort();
    }
  }

  /** The cause of an error: why the agent is gone if it is, else what it answered. */
  async #why(error: unknown): Promise<string> {
    const gone = this.#connection?.signal.aborted || this.#brokenBy !== null;
    if (!gone || !this.#process) return failureText(error);
    // The connection ended with the agent's output; a process that lingers without it is of no use.
    if (!(await exitsWithin(this.#process, STOP_GRACE_MS))) this.#process.kill('SIGKILL');
    const exit = await this.#process.exited;
    return this.#brokenBy ?? `the agent ${exitText(exit, this.#stderr.tail())}${this.#printed()}`;
  }

  #printed(): string {
    const text = this.#strayText.tail();
    return text ? `; it printed ${JSON.stringify(text.slice(0, 300))}` : '';
  }

  #failed(why: string, cause?: unknown): AutocodeError {
    return new AutocodeError('ERR_AGENT_FAILED', `${this.#profile.title} did not start: ${why}`, {
      remedy: `Run \`autocode agent check ${this.name}\`.`,
      cause,
    });
  }
}

const remindOf = (why: string) => `A tool was refused: ${why}. Do without it, and go on with what was asked.`;

/** True when the process ends in time. */
async function exitsWithin(process: SandboxProcess, milliseconds: number): Promise<boolean> {
  const timer = new AbortController();
  const late = wait(milliseconds, false, { signal: timer.signal }).catch(() => false);
  const exited = process.exited.then(() => true);
  return Promise.race([exited, late]).finally(() => timer.abort());
}
