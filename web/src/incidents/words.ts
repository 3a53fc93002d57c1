// How the incident pages name states and words, and who may say these.
import type { Incident, IncidentState } from '../../../protocol/incident.ts';
import type { TaskState } from '../../../protocol/task.ts';
import type { SignedIn } from '../../../protocol/person.ts';
import { may } from '../session/rights.ts';
import { hasEnded } from '../task/task-data.ts';
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

/** It is decided about as a whole: whoever may not act for a task of it may not either. */
export function mayDecide(user: SignedIn['user'] | undefined, incident: Incident): boolean {
  if (user === undefined || incident.mergedInto !== null || incident.others > 0) return false;
  return incident.tasks.every(({ project }) => may(user, 'operator', project));
}

/** What a person may say of one. */
export const SAID = {
  resolve: {
    verb: 'resolve',
    title: 'Resolve the incident?',
    what: 'It counts as over, whatever its alarms say. One that comes soon after opens it again.',
    done: 'The incident is resolved.',
    button: 'Resolve',
  },
  reopen: {
    verb: 'reopen',
    title: 'Reopen the incident?',
    what: 'It is investigated again.',
    done: 'The incident is open again.',
    button: 'Reopen',
  },
  again: {
    verb: 'reopen',
    title: 'Investigate again?',
    what: 'Its investigation has ended, and alarms that came since wait for the next one. Another run begins.',
    done: 'The incident is investigated again.',
    button: 'Investigate again',
  },
} as const;

/** What may be said of one as it is: another run begins only when the last one has ended. */
export function wordsFor({ state, tasks }: Incident): (keyof typeof SAID)[] {
  if (state === 'resolved') return ['reopen'];
  const last = tasks.findLast(({ superseded }) => !superseded);
  return last !== undefined && hasEnded(last) ? ['again', 'resolve'] : ['resolve'];
}
