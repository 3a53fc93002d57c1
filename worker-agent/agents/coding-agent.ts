// What every coding agent is to the pipeline: it takes turns at a task in a sandbox, tells what it does, and can be stopped.
import type { RunBudget } from '../../protocol/budget.ts';
import type { RunEvent } from '../../protocol/log.ts';
import type { Permissions } from '../../protocol/project.ts';
import type { AgentTokens, PlanStep } from '../../protocol/run.ts';
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
  /** What the run has spent and may spend, as the ledger has it now. */
  budget(): Promise<RunBudget>;
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

/** What was spent. The ledger's figures count; the program's own are advisory, and null where it counts none. */
export interface SpendingReport {
  ledger: RunBudget['spent'];
  own: AgentTokens | null;
  /** Tokens in and out by which the program's count is above the ledger's (negative: below). */
  difference: number | null;
}

/** Whether the run may go on. `refused`: a call was refused already, whatever the agent has made of it. */
export interface BudgetCheck {
  ok: boolean;
  refused: boolean;
  reason: string | null;
}

/** The budget of a program that is started outside a run: nothing is spent, nothing binds it. */
export const UNBOUND: RunBudget = {
  currency: 'USD',
  spent: { calls: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0, money: 0, tokens: 0, gpu: 0 },
  budgets: [],
  refused: null,
  ok: true,
  reason: null,
};

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

  /** Tokens as the program counts them itself, over all turns; null where it does not. */
  abstract counted(): AgentTokens | null;
  /** The words with which the program told that a call was refused for want of budget; null where it has not. */
  protected abstract refusal(): string | null;

  /** What the run has spent by the ledger, and beside it by the program's own count. */
  async spendingReport(): Promise<SpendingReport> {
    const { spent } = await this.context.budget();
    const own = this.counted();
    const all = ({ inputTokens, outputTokens }: AgentTokens) => inputTokens + outputTokens;
    return { ledger: spent, own, difference: own === null ? null : all(own) - all(spent) };
  }

  /** Whether the budgets leave anything to the run. A refusal that the program told counts too: it may be newer. */
  async budgetCheck(): Promise<BudgetCheck> {
    const { ok, refused, reason } = await this.context.budget();
    const told = refused ?? this.refusal();
    return { ok: ok && told === null, refused: told !== null, reason: reason ?? told };
  }
  /** Ends the program; safe to call at any time and more than once. */
  abstract stop(): Promise<void>;
}
