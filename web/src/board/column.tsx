// One column of the board: its cards, of which only those in sight are drawn, and in the queue their order by dragging or by keys.
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type DragEvent, type KeyboardEvent } from 'react';
import type { BoardColumn, Card } from '../../../protocol/board.ts';
import { isComplete, type ColumnData } from './board-data.ts';
import { CARD_PX, TaskCard } from './card.tsx';
import { BOARD_WORDS } from './words.ts';

const DOTS = {
  neutral: 'bg-edge',
  info: 'bg-info',
  good: 'bg-good',
  warn: 'bg-warn',
  bad: 'bg-bad',
  review: 'bg-review',
};
const NEAR_END = 30;

interface ColumnProps {
  data: ColumnData;
  marked: ReadonlySet<number>;
  mayChange: boolean;
  onMark: (id: number, marked: boolean) => void;
  onMore: (column: BoardColumn) => Promise<void>;
  /** A queued card is to stand between two others. */
  onMove: (card: Card, above: Card | undefined, below: Card | undefined) => void;
  onRaise: (card: Card, by: number) => void;
}

/** A column with its head. */
export function Column({ data, marked, mayChange, onMark, onMore, onMove, onRaise }: ColumnProps) {
  const { column, count, cards } = data;
  const { title, tone, empty } = BOARD_WORDS[column];
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: cards.length,
    getScrollElement: () => box.current,
    estimateSize: () => CARD_PX,
    getItemKey: (index) => cards[index]!.id,
    overscan: 4,
    useFlushSync: false,
  });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= cards.length - NEAR_END && !isComplete(data)) void onMore(column);
  }, [last, cards.length, data, column, onMore]);
  const { over, ...dropping } = useDrop(data, onMove);
  const movable = mayChange && column === 'queued';

  const onKey = (event: KeyboardEvent<HTMLElement>) => {
    const from = Number((event.target as HTMLElement).dataset.task);
    const at = cards.findIndex(({ id }) => id === from);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const raise = { ']': 1, '[': -1 }[event.key];
    if (at === -1) return;
    if (step !== undefined) {
      event.preventDefault();
      focusCard(at + step);
    } else if (raise !== undefined && movable) onRaise(cards[at]!, raise);
  };
  const focusCard = (at: number) => {
    const card = cards[at];
    if (card === undefined) return;
    rows.scrollToIndex(at);
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-task="${card.id}"]`)?.focus());
  };

  return (
    <section
      aria-label={`${title}, ${count}`}
      className="flex h-full min-w-72 flex-1 snap-start flex-col md:min-w-48"
    >
      <h2 className="flex items-center gap-2 px-2 py-1.5 font-semibold">
        <span className={`size-2 rounded-full ${DOTS[tone]}`} />
        {title}
        <span className="font-normal text-muted">{count.toLocaleString('en')}</span>
      </h2>
      <div
        ref={box}
        data-column={column}
        tabIndex={-1}
        onKeyDown={onKey}
        className="min-h-0 flex-1 overflow-y-auto rounded-md bg-sunken p-1.5"
        {...(movable ? dropping : {})}
      >
        {cards.length === 0 && <p className="px-2 py-4 text-center text-sm text-muted">{empty}</p>}
        <ul className="relative" style={{ height: rows.getTotalSize() }}>
          {items.map(({ index, key, start }) => {
            const card = cards[index]!;
            return (
              <li
                key={key}
                aria-setsize={count}
                aria-posinset={index + 1}
                draggable={movable}
                data-index={index}
                onDragStart={(event) => event.dataTransfer.setData('text/autocode-task', String(card.id))}
                className={`absolute inset-x-0 top-0 ${movable ? 'cursor-grab' : ''}`}
                style={{ transform: `translateY(${start}px)` }}
              >
                <TaskCard card={card} marked={marked.has(card.id)} mayMark={mayChange} onMark={onMark} />
              </li>
            );
          })}
          {over !== undefined && (
            <li
              aria-hidden
              className="pointer-events-none absolute inset-x-1 h-0.5 rounded-full bg-accent"
              style={{ transform: `translateY(${over * CARD_PX - 4}px)` }}
            />
          )}
        </ul>
      </div>
    </section>
  );
}

/** Where a dragged card would go, as the number of the card that it would stand before. */
function useDrop({ cards }: ColumnData, onMove: ColumnProps['onMove']) {
  const [over, setOver] = useState<number>();
  const placeOf = (event: DragEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const y = event.clientY - box.top + event.currentTarget.scrollTop;
    return Math.max(0, Math.min(cards.length, Math.round(y / CARD_PX)));
  };
  return {
    over,
    onDragOver(event: DragEvent<HTMLElement>) {
      if (!event.dataTransfer.types.includes('text/autocode-task')) return;
      event.preventDefault();
      setOver(placeOf(event));
    },
    onDragLeave(event: DragEvent<HTMLElement>) {
      if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(undefined);
    },
    onDrop(event: DragEvent<HTMLElement>) {
      event.preventDefault();
      setOver(undefined);
      const id = Number(event.dataTransfer.getData('text/autocode-task'));
      const from = cards.findIndex((each) => each.id === id);
      const to = placeOf(event);
      if (from === -1 || to === from || to === from + 1) return;
      onMove(cards[from]!, cards[to - 1], cards[to]);
    },
  };
}
