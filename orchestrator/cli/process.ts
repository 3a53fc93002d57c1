// Processes by (pid, start time): a number alone may have been given to another process meanwhile. Used by up, down, locate.
import { readFileSync } from 'node:fs';

/** When the process began, in the kernel's ticks since boot; null if it is gone (a zombie is). */
export function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? null : (fields[18] ?? null);
  } catch {
    return null;
  }
}

/** Whether this very process lives. */
export function isAlive({ pid, startTime }: { pid: number; startTime: string }): boolean {
  return startTimeOf(pid) === startTime;
}
