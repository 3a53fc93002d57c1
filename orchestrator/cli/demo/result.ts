// The end of a demo: what changed, what was checked, what it cost, what to type next.
import { z } from 'zod';
import { Change } from '../../../protocol/change.ts';
import { Run, type Usage } from '../../../protocol/run.ts';
import type { Task } from '../../../protocol/task.ts';
import type { Client } from '../client.ts';
import { duration, printable } from '../format.ts';
import { currencyOf } from '../money/currency.ts';
import { block, paint } from '../output.ts';
import { colourDiff } from '../run/diff.ts';
import { drawChecks, drawUsage } from '../run/show.ts';
import { tookMs } from '../run/table.ts';
import { styleOf } from '../states.ts';

const DIFF_LINES = 40;

export interface DemoResult {
  /** The last run. */
  run: Run | null;
  /** Of all runs of the task. */
  usage: Usage;
  currency: string;
  change: Change | null;
  diff: string;
}

/** Reads what the task left. */
export async function readResult(client: Client, task: Task): Promise<DemoResult> {
  const runs = await client.get('/runs', z.array(Run), { task: task.id });
  const run = runs.find(({ fence }) => fence === task.attempt) ?? null;
  const [number] = task.changes;
  const change = number === undefined ? null : await client.get(`/changes/${number}`, Change);
  const diff = change === null ? '' : await client.text(`/changes/${change.id}/diff`, { format: 'patch' });
  return { run, usage: sumUsage(runs), currency: await currencyOf(client), change, diff };
}

/** The result as text. */
export function drawResult(
  task: Task,
  { run, usage, currency, change, diff }: DemoResult,
  about: { recorded: boolean; running: boolean },
): string {
  const parts: string[] = [];
  if (change !== null) parts.push(shortDiff(diff, change.id));
  if (run !== null && run.checks.length > 0) parts.push(drawChecks(run.checks));
  parts.push(
    block([
      [
        'task',
        `${task.id} ${paint(styleOf(task.state), task.state)}${task.reason === null ? '' : ` – ${printable(task.reason)}`}`,
      ],
      ['change', change === null ? 'none' : `${change.id}, branch ${change.branch} → ${change.baseBranch}`],
      ['usage', run === null ? null : drawUsage(usage, currency)],
      [
        'took',
        run === null
          ? null
          : `${duration(tookMs(run))}${task.attempt > 1 ? `, the last of ${task.attempt} runs` : ''}`,
      ],
      [
        'answers',
        about.recorded
          ? 'from a recording, not from a model: the tokens are the recorded ones and cost nothing'
          : null,
      ],
    ]),
    nextSteps(task, change, about),
  );
  return parts.join('\n\n');
}

function sumUsage(runs: Run[]): Usage {
  const sum: Usage = { calls: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0, costMicros: 0 };
  for (const { usage } of runs) for (const key of Object.keys(sum) as (keyof Usage)[]) sum[key] += usage[key];
  return sum;
}

function shortDiff(diff: string, change: number): string {
  const lines = diff.trimEnd().split('\n');
  const rest = lines.length - DIFF_LINES;
  const shown = colourDiff(lines.slice(0, DIFF_LINES).join('\n'));
  return rest <= 0
    ? shown
    : `${shown}\n${paint('dim', `… ${rest} more lines: autocode change diff ${change}`)}`;
}

function nextSteps(
  task: Task,
  change: Change | null,
  { recorded, running }: { recorded: boolean; running: boolean },
): string {
  const steps: [string, string][] = [];
  if (change !== null) {
    steps.push(
      [`change show ${change.id}`, 'the pull request'],
      [`change merge ${change.id}`, `merge it into ${change.baseBranch}`],
    );
  } else if (task.state !== 'completed') {
    steps.push([`task logs ${task.id}`, 'what happened'], [`task retry ${task.id} --watch`, 'try again']);
  }
  if (recorded) steps.push(['demo --model-url URL --model NAME', 'the same with a real model']);
  steps.push(running ? ['down', 'stop the daemon'] : ['up --detach', 'start the daemon again']);
  const width = Math.max(...steps.map(([words]) => words.length));
  return [
    'Next:',
    ...steps.map(([words, what]) => `  ./autocode ${words.padEnd(width)}  ${paint('dim', what)}`),
  ].join('\n');
}
