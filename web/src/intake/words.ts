// How the intake page says what became of something, and who decides about it.
import type { IntakeDelivery, IntakeItem, Verdict } from '../../../protocol/intake.ts';
import type { SignedIn } from '../../../protocol/person.ts';
import { may, mayInAll } from '../session/rights.ts';
import type { Tone } from '../ui/badge.tsx';

export const TONES: Record<Verdict, Tone> = {
  created: 'good',
  appended: 'good',
  reopened: 'info',
  duplicate: 'neutral',
  ignored: 'neutral',
  quarantined: 'warn',
  rejected: 'bad',
};

export const WORDS: Record<Verdict, string> = {
  created: 'became a task',
  appended: 'told to its task',
  reopened: 'opened a task again',
  duplicate: 'had come before',
  ignored: 'ignored',
  quarantined: 'waits for a person',
  rejected: 'rejected',
};

/** One line of the log: a thing that came, or a delivery that nothing was made of (yet). */
export interface Line {
  delivery: IntakeDelivery;
  item: IntakeItem | undefined;
}

/** The lines of deliveries; of a verdict alone where one is asked for. */
export function linesOf(deliveries: IntakeDelivery[], verdict: string | undefined): Line[] {
  return deliveries.flatMap((delivery): Line[] => {
    if (delivery.items.length === 0) return verdict === undefined ? [{ delivery, item: undefined }] : [];
    const wanted = delivery.items.filter((item) => verdict === undefined || item.verdict === verdict);
    return wanted.map((item) => ({ delivery, item }));
  });
}

/** What came of something that a person has decided about, in words. */
export function outcome(delivery: IntakeDelivery, id: number): string {
  const item = delivery.items.find((each) => each.id === id);
  if (item === undefined) return 'It is decided.';
  const where = item.task === null ? '' : ` (task ${item.task})`;
  return `${item.title}: ${WORDS[item.verdict]}${where}.`;
}

/** The projects that a delivery is of; of one that nobody knows it is null. */
export function projectsOf({ items, others, project }: IntakeDelivery): (string | null)[] {
  const unseen = others > 0 ? [null] : [];
  return items.length + others === 0 ? [project] : [...items.map((item) => item.project), ...unseen];
}

/** Whether somebody may decide about what is of all of these. */
export function mayAct(user: SignedIn['user'] | undefined, projects: (string | null)[]): boolean {
  if (user === undefined) return false;
  return projects.every((each) => (each === null ? mayInAll(user, 'operator') : may(user, 'operator', each)));
}
