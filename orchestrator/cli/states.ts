// How states of tasks, runs, changes and checks look. Used by every verb that shows one.
import type { CheckResult } from '../../protocol/run.ts';
import type { Task } from '../../protocol/task.ts';
import type { Style } from './output.ts';

const STYLES: Record<string, Style> = {
  completed: 'green',
  succeeded: 'green',
  merged: 'green',
  passed: 'green',
  ok: 'green',
  online: 'green',
  ready: 'green',
  'no-change': 'green',
  planned: 'green',
  running: 'cyan',
  leased: 'cyan',
  preparing: 'cyan',
  working: 'cyan',
  verifying: 'cyan',
  submitting: 'cyan',
  loading: 'cyan',
  open: 'cyan',
  pending: 'yellow',
  degraded: 'yellow',
  warn: 'yellow',
  lost: 'yellow',
  stopping: 'yellow',
  failed: 'red',
  'timed-out': 'red',
  'out-of-time': 'red',
  'out-of-budget': 'red',
  down: 'red',
  fail: 'red',
  offline: 'red',
  cancelled: 'dim',
  closed: 'dim',
  off: 'dim',
  asleep: 'dim',
  unloaded: 'dim',
  'not-run': 'dim',
};

/** The colour of a state. */
export function styleOf(state: string): Style | undefined {
  return STYLES[state];
}

/** A task's state with what it waits for: `pending (retry)`. */
export function taskState(task: Pick<Task, 'state' | 'pendingReason'>): string {
  return task.pendingReason === null ? task.state : `${task.state} (${task.pendingReason})`;
}

/** Whether a task goes on no further by itself. */
export function hasEnded(state: Task['state']): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

/** The result of one check: `passed`, or `-` where it was not run. */
export function checkWord(result: CheckResult | null): string {
  return result === null ? '-' : result.status;
}
