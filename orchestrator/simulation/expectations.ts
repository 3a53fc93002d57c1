// Whether what was decided is what a scenario expects. Pure. Used by the verb and the tests.
import type { Expectation } from '../../protocol/scenario.ts';
import { seconds, written } from './duration.ts';
import type { Observed, ObservedRow, ObservedTask } from './observe.ts';
import { fits } from './work.ts';

export interface Judged {
  that: string;
  held: boolean;
  /** What was found, where it is not what was expected. */
  found: string;
}

/** Judges each expectation. */
export function judge(expectations: Expectation[], observed: Observed): Judged[] {
  return expectations.map((expectation) => {
    const found = differences(expectation, observed);
    return { that: expectation.that, held: found.length === 0, found: found.join('; ') };
  });
}

function differences(expectation: Expectation, observed: Observed): string[] {
  const { of, where, count, atMost, atLeast, begins, waitsAtMost, waitsAtLeast } = expectation;
  const rows = (observed[of] as unknown as ObservedRow[]).filter((row) =>
    Object.entries(where).every(([column, pattern]) => fits(pattern, String(row[column] ?? ''))),
  );
  const found: string[] = [];
  const counted = `${rows.length} ${of}`;
  if (count !== undefined && rows.length !== count) found.push(`${counted}, not ${count}`);
  if (atMost !== undefined && rows.length > atMost) found.push(`${counted}, more than ${atMost}`);
  if (atLeast !== undefined && rows.length < atLeast) found.push(`${counted}, fewer than ${atLeast}`);
  if (begins !== undefined) found.push(...otherBegins(begins, rows));
  const waits =
    of === 'tasks' ? rows.map((row) => waitOf(row as unknown as ObservedTask, observed.seconds)) : [];
  const longest = waits.length === 0 ? undefined : Math.max(...waits);
  if (waitsAtMost !== undefined && (longest === undefined || longest > seconds(waitsAtMost)))
    found.push(`the longest wait is ${longest === undefined ? 'none' : written(longest)}`);
  const shortest = waits.length === 0 ? undefined : Math.min(...waits);
  if (waitsAtLeast !== undefined && (shortest === undefined || shortest < seconds(waitsAtLeast)))
    found.push(`the shortest wait is ${shortest === undefined ? 'none' : written(shortest)}`);
  return found;
}

function otherBegins(wanted: string[], rows: ObservedRow[]): string[] {
  const began = rows.map(({ task, at }) => `${task} at ${written(Number(at))}`);
  const differs = began.length !== wanted.length || began.some((each, at) => each !== wanted[at]);
  return differs ? [`began ${began.join(', ') || 'nothing'}`] : [];
}

/** Seconds until a task's first run; one that has none yet waits still. */
export function waitOf({ came, began, ended }: ObservedTask, until: number): number {
  return (began ?? ended ?? until) - came;
}
