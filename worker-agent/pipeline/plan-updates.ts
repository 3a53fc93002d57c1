// The steps that an agent has for itself become those of the run's plan, told to the orchestrator now and then.
// Used by the pipeline.
import { setTimeout as delay } from 'node:timers/promises';
import type { PlanStep } from '../../protocol/run.ts';
import { mergePlan } from './plan.ts';
import type { Pipeline } from './run-record.ts';

/** An agent may change its mind with every step. */
const AT_MOST_EVERY_MS = 2_000;

export interface PlanUpdates {
  take(steps: PlanStep[]): void;
  /** Tells at once what has not been told yet; nothing is under way afterwards. */
  settle(): Promise<void>;
}

/** Takes the steps of one agent, while there is a plan to merge them into. */
export function planUpdates({ record, api, signal }: Pipeline): PlanUpdates {
  let due: { now: AbortController; told: Promise<void> } | null = null;

  async function tell(now: AbortSignal): Promise<void> {
    await delay(AT_MOST_EVERY_MS, undefined, { signal: AbortSignal.any([now, signal]) }).catch(() => {});
    due = null;
    if (record.plan !== null) await api.progress({ plan: record.plan });
  }

  return {
    take(steps) {
      if (record.plan === null) return;
      record.plan = mergePlan(record.plan, steps);
      if (due !== null) return;
      const now = new AbortController();
      due = { now, told: tell(now.signal) };
      due.told.catch(() => {}); // settle() throws it
    },
    async settle() {
      const { now, told } = due ?? {};
      now?.abort();
      await told;
    },
  };
}
