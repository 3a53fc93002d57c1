// What a simulation comes to in a few numbers. Pure. Used by the verb and the benchmark.
import { waitOf } from './expectations.ts';
import type { Observed } from './observe.ts';

/** Seconds until the first run, of the tasks of one class. */
export interface Waits {
  class: string;
  tasks: number;
  p50: number;
  p95: number;
  longest: number;
  /** All seconds, by what was waited for: `queue`, or a reason for which tasks were pending. */
  for: Record<string, number>;
}

export interface Totals {
  seconds: number;
  tasks: number;
  runs: number;
  /** Tasks by their last state, runs by theirs. */
  taskStates: Record<string, number>;
  runStates: Record<string, number>;
  incidents: number;
  longestQueue: number;
  utilisation: number;
  waits: Waits[];
}

/** Sums up. */
export function totalsOf(observed: Observed): Totals {
  const { seconds, tasks, runs, incidents, longestQueue, utilisation } = observed;
  return {
    seconds,
    tasks: tasks.length,
    runs: runs.length,
    taskStates: countBy(tasks.map(({ state }) => state)),
    runStates: countBy(runs.map(({ state }) => state)),
    incidents: incidents.length,
    longestQueue,
    utilisation,
    waits: [...Map.groupBy(tasks, (task) => task.class)].map(([name, own]) => {
      const sorted = own.map((task) => waitOf(task, seconds)).toSorted((one, other) => one - other);
      const at = (part: number) => sorted[Math.min(Math.floor(part * sorted.length), sorted.length - 1)]!;
      const reasons: Record<string, number> = {};
      for (const { waited } of own)
        for (const [reason, time] of Object.entries(waited)) reasons[reason] = (reasons[reason] ?? 0) + time;
      return {
        class: name,
        tasks: own.length,
        p50: at(0.5),
        p95: at(0.95),
        longest: sorted.at(-1)!,
        for: reasons,
      };
    }),
  };
}

function countBy(words: string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(words, (word) => word)].map(([word, all]) => [word, all.length]));
}
