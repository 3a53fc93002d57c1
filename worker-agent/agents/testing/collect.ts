// A context that keeps what an agent tells. Used by the agents' tests.
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { RunBudget } from '../../../protocol/budget.ts';
import type { PlanStep } from '../../../protocol/run.ts';
import { type AgentContext, type RunEventInput, UNBOUND } from '../coding-agent.ts';

export interface Told {
  events: RunEventInput[];
  raw: Buffer[];
  plans: PlanStep[][];
  cancel: AbortController;
  /** What the ledger answers; set by the test. */
  budget: RunBudget;
  context: AgentContext;
}

/** A context over a sandbox, whose run is cancelled by `cancel`. */
export function collect(sandbox: Sandbox, agent: Partial<AgentContext['agent']>, toolDir: string): Told {
  const events: RunEventInput[] = [];
  const raw: Buffer[] = [];
  const plans: PlanStep[][] = [];
  const cancel = new AbortController();
  const told: Told = {
    events,
    raw,
    plans,
    cancel,
    budget: UNBOUND,
    context: {
      sandbox,
      toolDir,
      agent: { name: 'test', command: null, model: 'scripted', ...agent },
      permissions: {},
      plan: (steps) => plans.push(steps),
      emit: (event) => events.push(event),
      raw: (bytes) => raw.push(Buffer.from(bytes)),
      budget: async () => told.budget,
      signal: cancel.signal,
    },
  };
  return told;
}
