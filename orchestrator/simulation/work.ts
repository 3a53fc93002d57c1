// What a run of a simulation takes and how it ends, by the scenario. Pure. Used by crew.ts.
import type { Scenario } from '../../protocol/scenario.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import { ends, takes } from './draw.ts';
import { numbered } from './messages.ts';

type Attempts = Scenario['work'][number]['attempts'];

const USUAL: Attempts[number] = { takes: '10m', ends: 'verified' };

export interface Work {
  /** Seconds. */
  takes: number;
  ends: string;
}

/** Tells it for a run: by its task's own attempts, or by the first rule that fits. */
export function workOf(scenario: Scenario): (order: WorkOrder) => Work {
  const own = ownAttempts(scenario);
  return ({ task, project, fence }) => {
    const rule = scenario.work.find(
      ({ project: whose, name, kind }) =>
        fits(whose, project.name) && fits(name, task.title) && (kind === undefined || kind === task.kind),
    );
    const attempts = own.get(task.title) ?? rule?.attempts ?? [USUAL];
    const attempt = attempts[Math.min(fence, attempts.length) - 1]!;
    const names = [task.title, fence] as const;
    return { takes: takes(attempt, scenario.seed, ...names), ends: ends(attempt, scenario.seed, ...names) };
  };
}

function ownAttempts({ arrivals }: Scenario): Map<string, Attempts> {
  const own = new Map<string, Attempts>();
  for (const { task, ticket, attempts, count } of arrivals) {
    const name = task?.name ?? ticket?.name;
    if (name === undefined || attempts === undefined) continue;
    for (let n = 0; n < count; n++) own.set(numbered(name, n), attempts);
  }
  return own;
}

/** Whether a text fits a pattern, in which `*` is any text; no pattern fits all. */
export function fits(pattern: string | undefined, text: string): boolean {
  if (pattern === undefined || pattern === text) return true;
  if (!pattern.includes('*')) return false;
  const parts = pattern.split('*').map((part) => RegExp.escape(part));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}
