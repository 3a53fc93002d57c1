// The drain as a part of the status. Used by status.ts.
import type { Drain } from '../../protocol/scheduling.ts';
import type { PartHealth } from '../../protocol/status.ts';

/** What `status` says of the drain: nothing while runs begin and its files are as they should be. */
export function drainHealth({ state, runs, waiting, begunBy, overdueAt, trouble }: Drain): PartHealth[] {
  if (state === 'off' && trouble === null) return [];
  const words = {
    off: 'runs begin',
    draining: `no run begins since ${begunBy} asked for it, ${runs.length} are active, ${waiting} tasks wait`,
    drained: `no run begins since ${begunBy} asked for it, and none is active; ${waiting} tasks wait`,
  };
  const overdue = state === 'draining' && overdueAt !== null ? '; its time is over' : '';
  const detail = `${words[state]}${overdue}${trouble === null ? '' : `; ${trouble}`}`;
  return [{ name: 'drain', state: 'degraded', detail }];
}
