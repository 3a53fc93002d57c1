// The plan of a run: read from the agent's answer as leniently as is safe, and how it looks while the work goes on.
// Used by the pipeline.
import { z } from 'zod';
import type { Plan, PlanStep } from '../../protocol/run.ts';

const MOST_STEPS = 200;
const LONGEST_TITLE = 500;
const LONGEST_SUMMARY = 5000;

const Answer = z.object({
  summary: z.string().default(''),
  steps: z
    .array(
      z.union([
        z.string(),
        z.object({ title: z.string() }),
        z.object({ step: z.string() }),
        z.object({ description: z.string() }),
      ]),
    )
    .min(1),
});

/** The plan in an agent's answer, or null: JSON alone, in a code fence, or with text around it. */
export function parsePlan(text: string): Plan | null {
  for (const candidate of candidates(text)) {
    const answer = Answer.safeParse(candidate);
    if (!answer.success) continue;
    const titles = answer.data.steps
      .map((step) => (typeof step === 'string' ? step : Object.values(step)[0]!).trim())
      .filter(Boolean);
    if (titles.length > 0)
      return {
        summary: answer.data.summary.trim().slice(0, LONGEST_SUMMARY),
        steps: titles.slice(0, MOST_STEPS).map(pending),
      };
  }
  return null;
}

/** One step that stands for the whole task. */
export function oneStepPlan(title: string): Plan {
  return { summary: title.slice(0, LONGEST_SUMMARY), steps: [pending(title)] };
}

/** The plan while the agent is at it: its turn covers all steps, so the first open one stands for them. */
export function planAtWork(plan: Plan): Plan {
  const first = plan.steps.findIndex((step) => step.status !== 'completed');
  return {
    ...plan,
    steps: plan.steps.map((step, index) => (index === first ? { ...step, status: 'in-progress' } : step)),
  };
}

/** The plan with the steps that the agent tells of: those it names anew are added, the state of the others is taken over. */
export function mergePlan(plan: Plan, told: PlanStep[]): Plan {
  const key = (title: string) => title.replaceAll(/\s+/g, ' ').trim().slice(0, LONGEST_TITLE).toLowerCase();
  const steps = plan.steps.map((step) => ({ ...step }));
  for (const { title, status } of told) {
    const known = steps.find((step) => key(step.title) === key(title));
    if (known !== undefined) known.status = status;
    else if (key(title) !== '' && steps.length < MOST_STEPS) steps.push({ ...pending(title.trim()), status });
  }
  return { ...plan, steps };
}

/** The plan at the end: done, or failed where it stood. */
export function planAtEnd(plan: Plan, done: boolean): Plan {
  const end = (status: PlanStep['status']): PlanStep['status'] => {
    if (done) return 'completed';
    return status === 'in-progress' ? 'failed' : status === 'pending' ? 'skipped' : status;
  };
  return { ...plan, steps: plan.steps.map((step) => ({ ...step, status: end(step.status) })) };
}

function pending(title: string): PlanStep {
  return { title: title.slice(0, LONGEST_TITLE), status: 'pending' };
}

function* candidates(text: string): Generator<unknown> {
  yield tryJson(text);
  for (const [, fenced = ''] of text.matchAll(/```(?:json)?\s*\n([\s\S]*?)```/g)) yield tryJson(fenced);
  // Each opening brace up to the one that closes it; few answers have more than a handful.
  for (const { index } of [...text.matchAll(/\{\s*"/g)].slice(0, 20))
    yield tryJson(text.slice(index, closing(text, index) + 1));
}

// The brace that closes the one at `from`, braces in strings not counted; -1 when there is none.
function closing(text: string, from: number): number {
  let depth = 0;
  for (const { 0: token, index } of text.slice(from).matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') depth += 1;
    if (token === '}') depth -= 1;
    if (depth === 0) return from + index;
  }
  return -1;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
