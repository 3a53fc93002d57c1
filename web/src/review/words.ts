// The state of a change in a few words. Used by the review queue and the page of a change.
import type { Change } from '../../../protocol/change.ts';
import type { Tone } from '../ui/badge.tsx';

/** What is to be known of it at a glance. */
export function stateOf({ state, forgeHead, trouble }: Change): { text: string; tone: Tone } {
  if (state === 'merged') return { text: 'merged', tone: 'good' };
  if (state === 'closed') return { text: 'closed', tone: 'neutral' };
  if (forgeHead !== null) return { text: 'open, somebody else has pushed to it', tone: 'warn' };
  return trouble === null ? { text: 'open', tone: 'review' } : { text: 'open, forge away', tone: 'warn' };
}
