// What every coding agent is to the pipeline: it takes turns at a task in a sandbox, tells what it does, and can be stopped.
import type { RunEvent } from '../../protocol/log.ts';
import type { Permissions } from '../../protocol/project.ts';
import type { PlanStep } from '../../protocol/run.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** A log event as an agent emits it; the log adds the time. */
export type RunEventInput = RunEvent extends infer E ? (E extends RunEvent ? Omit<E, 't'> : never) : never;

export interface AgentContext {
  sandbox: Sandbox;
  agent: WorkOrder['agent'];
  /** Directory with the installed agents. */
  toolDir: string;
  emit(event: RunEventInput): void;
  /** What the project lets tools do, by kind; enforced by an agent that asks. */
  permissions: Permissions;
  /** The steps that the agent has for itself, whenever it changes them. */
  plan(steps: PlanStep[]): void;
  /** The agent's own bytes, kept untouched in the run's `raw` stream. */
  raw(bytes: Uint8Array): void;
  /** Aborted when the run is cancelled or out of time. */
  signal: AbortSignal;
}

export type Phase = 'plan' | 'execute' | 'adjust';

export interface TurnResult {
  /** `interrupted`: ended early because `interrupt` was called; the next turn says why. */
  stop: 'done' | 'interrupted' | 'cancelled' | 'limit' | 'failed';
  /** The agent's last message. */
  text: string;
  error: string | null;
}

/** Tokens as the agent counts them; advisory, money is metered at the gateway. */
export interface SpendingReport {
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
}

export abstract class CodingAgent {
  protected readonly context: AgentContext;

  constructor(context: AgentContext) {
    this.context = context;
  }

  abstract readonly name: string;
  /** Can make a plan in a turn that changes nothing. */
  abstract readonly plans: boolean;
  /** Asks before it uses a tool that changes something, so that permissions can be enforced. */
  readonly asks: boolean = false;

  /** Has in later turns what was said in earlier ones. */
  get remembers(): boolean {
    return this.plans;
  }

  /** Starts the program; throws AutocodeError (ERR_AGENT_MISSING, ERR_AGENT_FAILED) when it cannot. */
  abstract start(): Promise<{ version: string | null }>;
  /** One turn. A failure of the agent is a result, not an exception. */
  abstract runTask(turn: { phase: Phase; prompt: string }): Promise<TurnResult>;
  /** Ends the turn under way, so that a person's message can be the next one; nothing where that cannot be done. */
  interrupt(): void {}

  abstract spendingReport(): SpendingReport;
  abstract budgetCheck(): { ok: boolean; reason: string | null };
  /** Ends the program; safe to call at any time and more than once. */
  abstract stop(): Promise<void>;
}
