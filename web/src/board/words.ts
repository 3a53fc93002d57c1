// How the board names what the protocol has, and with which colour.
import type { BoardColumn } from '../../../protocol/board.ts';
import type { PendingReason } from '../../../protocol/task.ts';
import type { Tone } from '../ui/badge.tsx';

/** Columns, from left to right; what each says when it is empty. */
export const BOARD_WORDS: Record<BoardColumn, { title: string; tone: Tone; empty: string }> = {
  waiting: { title: 'Waiting', tone: 'warn', empty: 'Nothing waits for a person, a turn or a budget.' },
  queued: {
    title: 'Queued',
    tone: 'neutral',
    empty: 'No task is queued. Drag cards here to say which goes first.',
  },
  running: { title: 'Running', tone: 'info', empty: 'No run is at work.' },
  review: { title: 'In review', tone: 'review', empty: 'No change waits to be looked at.' },
  done: { title: 'Done', tone: 'good', empty: 'Nothing is finished yet.' },
  failed: { title: 'Failed', tone: 'bad', empty: 'Nothing failed.' },
};

export const BOARD_COLUMNS = Object.keys(BOARD_WORDS) as BoardColumn[];

/** What a pending task waits for. */
export const WAITS_FOR: Record<PendingReason, string> = {
  approval: 'approval',
  repository: 'its turn',
  retry: 'next try',
  incident: 'incident',
  budget: 'budget',
  drain: 'drain',
  secrets: 'secrets',
  limit: 'a free place',
  change: 'earlier change',
};
