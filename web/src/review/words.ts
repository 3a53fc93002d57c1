// The state of a change in a few words. Used by the review queue, the page of a change and the board.
import type { Change, Review } from '../../../protocol/change.ts';
import { visible } from '../log/visible.ts';
import type { Tone } from '../ui/badge.tsx';

interface Said {
  text: string;
  /** For a card. */
  short?: string;
  tone: Tone;
}

/** Where it is on its way: what stands in the way of a merge comes first. */
export function standingOf({
  state,
  review,
  mergeable,
}: Pick<Change, 'state' | 'review' | 'mergeable'>): Said {
  if (state === 'merged') return { text: 'merged', tone: 'good' };
  if (state === 'closed') return { text: 'closed', tone: 'neutral' };
  if (mergeable === 'conflicts') return { text: 'conflicts', tone: 'bad' };
  if (review === 'changes-requested') return { text: 'changes requested', short: 'rework', tone: 'warn' };
  if (review === 'approved') return { text: 'approved', tone: 'good' };
  return { text: review === 'commented' ? 'commented' : 'open', tone: 'review' };
}

/** What is to be known of it at a glance. */
export function stateOf(change: Change): Said {
  if (change.state !== 'open') return standingOf(change);
  if (change.forgeHead !== null) return { text: 'open, somebody else has pushed to it', tone: 'warn' };
  if (change.trouble !== null) return { text: 'open, forge away', tone: 'warn' };
  const standing = standingOf(change);
  return change.draft && standing.text === 'open' ? { text: 'draft', tone: 'neutral' } : standing;
}

const SAYS = { approved: 'approved', 'changes-requested': 'asks for changes', commented: 'commented' };

/** What each person said. */
export function reviewOf({ by, says, stale }: Review): string {
  return `${visible(by)} ${stale ? `${says === 'changes-requested' ? 'asked for changes in' : SAYS[says]} an earlier version` : SAYS[says]}`;
}

/** Why it cannot be merged now; null where it may be. */
export function obstacleOf({ stuck, mergeable, mergeReason, baseBranch }: Change): string | null {
  if (stuck !== null) return visible(stuck);
  if (mergeable === 'conflicts')
    return `It conflicts with ${baseBranch}${mergeReason === null ? '' : ` in ${visible(mergeReason)}`}.`;
  if (mergeable !== 'blocked') return null;
  return mergeReason === null
    ? 'The forge does not let it be merged now.'
    : `It cannot be merged now: ${visible(mergeReason)}.`;
}
