// Runs as a table. Used by `run list` and `task show`.
import type { Run } from '../../../protocol/run.ts';
import { count, duration, money, relativeTime } from '../format.ts';
import { table } from '../output.ts';
import { styleOf } from '../states.ts';

/** One line a run. */
export function drawRuns(runs: Run[], currency: string): string {
  if (runs.length === 0) return 'No runs.';
  return table(runs, [
    { title: 'RUN', value: (run) => run.id },
    { title: 'STATE', value: (run) => run.state, style: (run) => styleOf(run.state) },
    { title: 'AGENT', value: (run) => run.agent },
    { title: 'MODEL', value: (run) => run.model },
    {
      title: 'TOKENS',
      value: (run) => `${count(run.usage.inputTokens)}/${count(run.usage.outputTokens)}`,
      align: 'right',
    },
    { title: 'COST', value: (run) => money(run.usage.costMicros, currency), align: 'right' },
    { title: 'TOOK', value: (run) => duration(tookMs(run)), align: 'right' },
    { title: 'AGE', value: (run) => relativeTime(run.createdAt) },
    { title: 'REASON', value: (run) => run.reason ?? '' },
  ]);
}

/** From its claim to its end, or until now. */
export function tookMs(run: Run): number {
  return Math.max(
    0,
    (run.finishedAt === null ? Date.now() : Date.parse(run.finishedAt)) - Date.parse(run.createdAt),
  );
}
