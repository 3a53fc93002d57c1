// What a simulation shows: its sums, the waits by class, each task where there are few, and whether the expectations hold.
// Used by simulate.ts.
import { written } from '../../simulation/duration.ts';
import type { Judged } from '../../simulation/expectations.ts';
import type { Observed } from '../../simulation/observe.ts';
import { totalsOf } from '../../simulation/totals.ts';
import { block, paint, table } from '../output.ts';

const FEW = 50;

/** Draws it. */
export function drawSimulation(
  observed: Observed,
  expectations: Judged[],
  { tookSeconds, all }: { tookSeconds: number; all: boolean },
): string {
  const totals = totalsOf(observed);
  const sums = block([
    ['played', `${time(totals.seconds)} in ${tookSeconds.toFixed(1)} s`],
    ['tasks', `${totals.tasks}: ${counts(totals.taskStates)}`],
    ['runs', `${totals.runs}: ${counts(totals.runStates)}`],
    ['incidents', totals.incidents === 0 ? null : String(totals.incidents)],
    ['longest queue', `${totals.longestQueue} tasks`],
    ['workers in use', `${Math.round(totals.utilisation * 100)} %`],
  ]);
  const waits = table(totals.waits, [
    { title: 'CLASS', value: (row) => row.class },
    { title: 'TASKS', value: ({ tasks }) => String(tasks), align: 'right' },
    { title: 'WAIT P50', value: ({ p50 }) => time(p50), align: 'right' },
    { title: 'P95', value: ({ p95 }) => time(p95), align: 'right' },
    { title: 'LONGEST', value: ({ longest }) => time(longest), align: 'right' },
    { title: 'ALL TIME BY WHAT WAS WAITED FOR', value: (row) => times(row.for) },
  ]);
  const parts = [sums, waits];
  if (all || observed.tasks.length <= FEW) parts.push(drawTasks(observed));
  if (expectations.length > 0) parts.push(expectations.map(drawExpectation).join('\n'));
  return parts.join('\n\n');
}

function drawTasks({ tasks, runs }: Observed): string {
  const ofTask = Map.groupBy(runs, ({ run }) => Number(run.split('-')[0]));
  return table(tasks, [
    { title: 'TASK', value: ({ name }) => name },
    { title: 'PROJECT', value: ({ project }) => project, spare: true },
    { title: 'CAME', value: ({ came }) => time(came), align: 'right' },
    { title: 'BEGAN', value: ({ began }) => (began === null ? '-' : time(began)), align: 'right' },
    { title: 'ENDED', value: ({ ended }) => (ended === null ? '-' : time(ended)), align: 'right' },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'RUNS', value: ({ id }) => (ofTask.get(id) ?? []).map(({ state }) => state).join(', ') },
    { title: 'WAITED FOR', value: ({ waited }) => times(waited) },
  ]);
}

function drawExpectation({ that, held, found }: Judged): string {
  return held ? `${paint('green', '✓')} ${that}` : `${paint('red', '✗')} ${that}: ${found}`;
}

function counts(by: Record<string, number>): string {
  return Object.entries(by)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');
}

function times(by: Record<string, number>): string {
  const some = Object.entries(by).filter(([, seconds]) => seconds >= 1);
  return some.map(([what, seconds]) => `${what} ${time(seconds)}`).join(', ');
}

function time(seconds: number): string {
  return written(Math.round(seconds));
}
