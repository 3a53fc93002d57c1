// How many workers the service job should have: pure. Used by autoscaler.ts.
import type { AutoscaleSettings } from '../config/autoscale-settings.ts';

/** What is known when the count is looked at. */
export interface FleetHistory {
  /** Of the service job, as it is now. */
  count: number;
  /** Runs that its workers have, and how many one of them takes at a time. */
  running: number;
  runsPerWorker: number;
  /** How many seconds each task has been in the queue that only wants for room; those that wait for money are not in it. */
  waits: number[];
  /** Since the count was changed; Infinity when it never was. */
  secondsSinceChange: number;
  /** For how long fewer workers would have done; 0 when they would not do now. */
  idleSeconds: number;
}

/** A count and, in words, why. */
export interface Desired {
  count: number;
  reason: string;
}

/** The count that is to be; the same as it is where nothing is to change. */
export function desiredCount(history: FleetHistory, settings: AutoscaleSettings): Desired {
  const { count, waits, secondsSinceChange, idleSeconds } = history;
  const { min, max, queueWaitSeconds, cooldownSeconds } = settings;
  if (count < min) return { count: min, reason: `${min} is the least` };
  if (count > max) return { count: max, reason: `${max} is the most` };
  const p95 = percentile95(waits);
  const slow = p95 > queueWaitSeconds;
  const wait = `${waits.length} tasks wait for room, 95 % of them no longer than ${Math.round(p95)} s`;
  if (slow && count === max) return { count, reason: `${wait}; ${max} is the most` };
  if (secondsSinceChange < cooldownSeconds) {
    const left = Math.ceil(cooldownSeconds - secondsSinceChange);
    return { count, reason: `${slow ? wait : 'changed'}; it stays as it is for another ${left} s` };
  }
  if (slow) {
    const more = Math.max(1, Math.ceil(waits.length / Math.max(1, history.runsPerWorker)));
    return { count: Math.min(max, count + more), reason: wait };
  }
  if (idleSeconds >= settings.idleSeconds && neededCount(history, min) < count && waits.length === 0)
    return { count: count - 1, reason: `fewer would have done for ${Math.round(idleSeconds)} s` };
  return { count, reason: waits.length > 0 ? wait : 'nothing waits for room' };
}

/** So many would do for the runs that there are. */
export function neededCount(
  { running, runsPerWorker }: Pick<FleetHistory, 'running' | 'runsPerWorker'>,
  min: number,
): number {
  return Math.max(min, Math.ceil(running / Math.max(1, runsPerWorker)));
}

function percentile95(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0;
}
