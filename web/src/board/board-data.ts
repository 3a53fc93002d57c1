// What the board shows, as plain data: columns of cards, and how events change them. Used by use-board.ts.
import type { Board, BoardColumn, Card } from '../../../protocol/board.ts';

export type ColumnData = Board['columns'][number];

/** Whether a card comes before another: by the queue where they are queued, else the newer one. */
function before(column: BoardColumn, a: Card, b: Card): boolean {
  if (column !== 'queued') return a.id > b.id;
  return a.place === b.place ? a.id < b.id : a.place < b.place;
}

/** Whether all cards of a column have been loaded. */
export function isComplete({ count, cards }: ColumnData): boolean {
  return cards.length >= count;
}

/** The board after some tasks were asked for again: `fresh` has those that are still on it, `counts` how many there are by now. */
export function patched(board: Board, asked: readonly number[], fresh: Card[], counts: Board): Board {
  const gone = new Set(asked);
  const columns = board.columns.map((old) => {
    const count = counts.columns.find(({ column }) => column === old.column)?.count ?? 0;
    const coming = fresh.filter(({ column }) => column === old.column);
    const kept = old.cards.filter(({ id }) => !gone.has(id));
    if (count === old.count && coming.length === 0 && kept.length === old.cards.length) return old;
    return { ...old, count, cards: merged(old, kept, coming, count) };
  });
  return { ...board, columns };
}

/** Puts cards into their places; one that belongs below what has been loaded comes with the next page. */
function merged({ column, cards: old }: ColumnData, kept: Card[], coming: Card[], count: number): Card[] {
  const cards = [...kept];
  for (const card of coming) {
    const at = cards.findIndex((each) => before(column, card, each));
    cards.splice(at === -1 ? cards.length : at, 0, card);
  }
  const last = old.at(-1);
  if (cards.length >= count || last === undefined) return cards;
  return cards.filter((card) => card.id === last.id || before(column, card, last));
}

/** The board with the next page of a column. */
export function withPage(board: Board, name: BoardColumn, page: Card[]): Board {
  const columns = board.columns.map((old) => {
    if (old.column !== name) return old;
    const known = new Set(old.cards.map(({ id }) => id));
    const cards = [...old.cards, ...page.filter(({ id }) => !known.has(id))];
    // A page with nothing new is the end, whatever was counted before.
    return { ...old, cards, count: page.length === 0 ? cards.length : Math.max(old.count, cards.length) };
  });
  return { ...board, columns };
}

const MINUTE_MS = 60_000;
const MOST = 100;

/** The priority with which a card comes to stand between two others, as near to its own as can be; undefined where none is needed. */
export function priorityBetween(
  card: Card,
  above: Card | undefined,
  below: Card | undefined,
  minutes: number,
): number {
  const created = Date.parse(card.createdAt);
  const steps = (place: string) => (created - Date.parse(place)) / (minutes * MINUTE_MS);
  const least = below === undefined ? -MOST : Math.floor(steps(below.place)) + 1;
  const most = above === undefined ? MOST : Math.ceil(steps(above.place)) - 1;
  // Where steps are too coarse for a place between the two, it goes before the one it was dropped on.
  const wanted = Math.max(Math.min(card.priority, most), least);
  return Math.max(-MOST, Math.min(MOST, wanted));
}
