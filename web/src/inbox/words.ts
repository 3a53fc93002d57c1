// What the kinds of notifications mean, in plain words. Used by the inbox and the rules.
import type { NotificationKind } from '../../../protocol/notification.ts';
import type { Tone } from '../ui/badge.tsx';

interface Words {
  text: string;
  /** When somebody is told. */
  when: string;
  tone: Tone;
}

export const KIND_WORDS: Record<NotificationKind, Words> = {
  'change.ready': { text: 'change ready', when: 'A change waits for review.', tone: 'review' },
  'change.approved': { text: 'approved', when: 'Somebody approved a change at its forge.', tone: 'good' },
  'change.changes-requested': {
    text: 'changes requested',
    when: 'Somebody asks for changes at the forge.',
    tone: 'warn',
  },
  'change.conflict': { text: 'conflict', when: 'A change conflicts with its base branch.', tone: 'bad' },
  'change.stuck': {
    text: 'cannot follow',
    when: 'A change upon another one could not follow when that was merged.',
    tone: 'bad',
  },
  'task.failed': { text: 'task failed', when: 'A task failed, with no try left.', tone: 'bad' },
  'task.approval': {
    text: 'approval',
    when: 'A task waits until a person approves its plan.',
    tone: 'warn',
  },
  'budget.reached': { text: 'budget', when: '80 or 100 % of a budget are spent.', tone: 'warn' },
  'incident.opened': { text: 'incident', when: 'An incident was opened, or opened again.', tone: 'bad' },
  'incident.needs-person': {
    text: 'incident needs you',
    when: 'The investigation of an incident does not get on by itself.',
    tone: 'bad',
  },
  'egress.anomaly': {
    text: 'unusual traffic',
    when: 'A project asked for a new host, sent far more than usual, or was refused often.',
    tone: 'warn',
  },
  'secret.misused': {
    text: 'secret misused',
    when: 'A run sent a secret, or what stands for one, where it does not belong.',
    tone: 'bad',
  },
  'intake.approval': { text: 'intake waits', when: 'Work from a source waits for a person.', tone: 'info' },
  'intake.failed': { text: 'intake failed', when: 'Work from a source was given up.', tone: 'bad' },
};

export const KINDS = Object.keys(KIND_WORDS) as NotificationKind[];

/** The words of a kind, also of one that this page does not know yet. */
export function wordsOf(kind: string): Words {
  return Object.hasOwn(KIND_WORDS, kind)
    ? KIND_WORDS[kind as NotificationKind]
    : { text: kind, when: '', tone: 'neutral' };
}
