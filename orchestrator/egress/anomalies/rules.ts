// What is an anomaly: pure functions over what a project has sent before. docs/audit.md explains them. Used by watch.ts.

/** So much more than the largest hour of the days before is unusual, and no less than this. */
const TIMES = 5;
export const PAST_DAYS = 7;
const LEAST = { 'bytes-out': 10 * 1024 * 1024, refusals: 50 } as const;
/** A project that was first seen less than so long ago has no past to be held against. */
export const SETTLED_MS = 86_400_000;

export type HourlyAnomaly = keyof typeof LEAST;

/** An hour of a project, and its largest one in the days before. */
export interface Hour {
  refused: number;
  bytesOut: number;
  mostRefused: number;
  mostBytesOut: number;
  /** Whether the project has a past. */
  settled: boolean;
}

export interface Finding {
  anomaly: HourlyAnomaly;
  value: number;
  /** The largest hour before. */
  usual: number;
}

/** What is unusual about an hour. Refusals need no past: nobody is refused that often. */
export function unusual({ refused, bytesOut, mostRefused, mostBytesOut, settled }: Hour): Finding[] {
  const found: Finding[] = [];
  if (refused >= Math.max(LEAST.refusals, TIMES * mostRefused))
    found.push({ anomaly: 'refusals', value: refused, usual: mostRefused });
  if (settled && bytesOut >= Math.max(LEAST['bytes-out'], TIMES * mostBytesOut))
    found.push({ anomaly: 'bytes-out', value: bytesOut, usual: mostBytesOut });
  return found;
}
