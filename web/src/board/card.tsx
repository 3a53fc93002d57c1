// One task on the board.
import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import type { Card } from '../../../protocol/board.ts';
import { visible } from '../log/visible.ts';
import { standingOf } from '../review/words.ts';
import { Ago } from '../ui/ago.tsx';
import { Badge } from '../ui/badge.tsx';
import { WAITS_FOR } from './words.ts';

/** Height of a card with the space below it, in pixels: all are the same, so that ten thousand scroll without measuring. */
export const CARD_PX = 76;

interface CardProps {
  card: Card;
  marked: boolean;
  mayMark: boolean;
  onMark: (id: number, marked: boolean) => void;
}

/** Its number, title, where it belongs, and what is particular about it. */
export const TaskCard = memo(function TaskCard({ card, marked, mayMark, onMark }: CardProps) {
  const { id, title, project, agent, source, priority, attempt, updatedAt } = card;
  return (
    <article
      className={`flex h-[70px] gap-2 rounded-md border bg-surface px-2 py-1.5 hover:border-edge ${marked ? 'border-accent' : 'border-line'}`}
    >
      {mayMark && (
        <input
          type="checkbox"
          aria-label={`Mark task ${id}`}
          checked={marked}
          onChange={(event) => onMark(id, event.target.checked)}
          className="mt-0.5 size-3.5 shrink-0 accent-accent"
        />
      )}
      <div className="flex min-w-0 flex-1 flex-col">
        <Link
          to={`/tasks/${id}`}
          data-task={id}
          draggable={false}
          className="line-clamp-2 min-h-0 flex-1 leading-4.5 font-medium wrap-anywhere hover:underline"
        >
          <bdi>{visible(title)}</bdi>
        </Link>
        <p className="flex items-center gap-1.5 text-sm whitespace-nowrap text-muted">
          <span>#{id}</span>
          <span className="truncate">{project}</span>
          <span className="ml-auto flex shrink-0 items-center gap-1.5">
            <Particulars card={card} />
            {priority !== 0 && <Badge tone="info">{priority > 0 ? `+${priority}` : priority}</Badge>}
            {attempt > 1 && <span title={`${attempt} runs so far`}>×{attempt}</span>}
            <span className="sr-only">{`agent ${agent}, from ${source}`}</span>
            <Ago at={updatedAt} />
          </span>
        </p>
      </div>
    </article>
  );
});

function Particulars({ card: { state, pendingReason, reason, changes, kind } }: { card: Card }) {
  const standing = changes[0] === undefined ? undefined : standingOf(changes[0]);
  return (
    <>
      {kind === 'investigate' && <Badge>investigation</Badge>}
      {pendingReason !== null && (
        <span title={reason ?? undefined}>
          <Badge tone={pendingReason === 'approval' || pendingReason === 'budget' ? 'warn' : 'neutral'}>
            {WAITS_FOR[pendingReason]}
          </Badge>
        </span>
      )}
      {state === 'cancelled' && <Badge>cancelled</Badge>}
      {standing !== undefined && <Badge tone={standing.tone}>{standing.short ?? standing.text}</Badge>}
    </>
  );
}
