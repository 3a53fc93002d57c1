// How the incident pages name states.
import type { IncidentState } from '../../../protocol/incident.ts';
import type { TaskState } from '../../../protocol/task.ts';
import type { Tone } from '../ui/badge.tsx';

export const STATES: Record<IncidentState, { tone: Tone; text: string }> = {
  open: { tone: 'bad', text: 'open' },
  settling: { tone: 'warn', text: 'settling' },
  resolved: { tone: 'good', text: 'resolved' },
  merged: { tone: 'neutral', text: 'merged' },
};

/** How a task that investigates stands out. */
export function toneOf(state: TaskState): Tone {
  if (state === 'failed') return 'bad';
  return state === 'completed' ? 'good' : 'info';
}
