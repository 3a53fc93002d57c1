// The board's data: the first cards of each column at once, the others as one scrolls, and what events change.
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import type { Board, BoardColumn, Card } from '../../../protocol/board.ts';
import type { Event } from '../../../protocol/event.ts';
import { get } from '../api/client.ts';
import { useEvents } from '../live/live.ts';
import { paced } from '../live/pace.ts';
import { isComplete, patched, withPage } from './board-data.ts';
import type { Filter } from './filter.ts';

const FIRST = 100;
const PAGE = 200;
const PAUSE_MS = 400;
const MOST_IDS = 400;
/** What changes nothing of a card. */
const ELSEWHERE = /^run\.|^task\.message$/;

/** The board of a filter; `more` loads the next page of a column. */
export function useBoard(filter: Filter) {
  const cache = useQueryClient();
  const { project, agent, source, text } = filter;
  const key = ['board', { project, agent, source, text }];
  const query = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) =>
      await get<Board>('/board', { project, agent, source, text, cards: FIRST }, signal),
    placeholderData: keepPreviousData,
    staleTime: Infinity, // events keep it as it is
  });
  const change = useCallback(
    (by: (board: Board) => Board) => cache.setQueryData<Board>(key, (board) => board && by(board)),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key is made of these
    [cache, project, agent, source, text],
  );
  usePatches(filter, change);
  const loading = useRef(new Set<BoardColumn>());
  const more = useCallback(
    async (column: BoardColumn) => {
      const old = cache.getQueryData<Board>(key)?.columns.find((each) => each.column === column);
      if (old === undefined || isComplete(old) || loading.current.has(column)) return;
      loading.current.add(column);
      try {
        const before = old.cards.at(-1)?.id;
        const want = { project, agent, source, text, column, before, limit: PAGE };
        const page = await get<Card[]>('/cards', want);
        change((board) => withPage(board, column, page));
      } finally {
        loading.current.delete(column);
      }
    },
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key is made of these
    [cache, change, project, agent, source, text],
  );
  return { ...query, change, more };
}

/** Asks again for the tasks that events name, and not while nobody looks. */
function usePatches(filter: Filter, change: (by: (board: Board) => Board) => void): void {
  const touched = useRef(new Set<number>());
  const { project, agent, source, text } = filter;
  const pace = useMemo(() => {
    const want = { project, agent, source, text };
    return paced(async () => {
      if (document.hidden || touched.current.size === 0) return false;
      const ids = [...touched.current].slice(0, MOST_IDS);
      for (const id of ids) touched.current.delete(id);
      try {
        const now = await get<Board>('/board', { ...want, ids: ids.join(',') });
        const cards = now.columns.flatMap((column) => column.cards);
        change((board) => patched(board, ids, cards, now));
      } catch {
        for (const id of ids) touched.current.add(id); // the daemon is away
      }
      return touched.current.size > 0;
    }, PAUSE_MS);
  }, [change, project, agent, source, text]);
  useEvents(
    useCallback(
      ({ kind, task }: Event) => {
        if (task === null || ELSEWHERE.test(kind)) return;
        touched.current.add(task);
        pace.soon();
      },
      [pace],
    ),
  );
  useEffect(() => {
    const seen = () => {
      if (!document.hidden && touched.current.size > 0) pace.now();
    };
    document.addEventListener('visibilitychange', seen);
    return () => {
      document.removeEventListener('visibilitychange', seen);
      pace.stop();
    };
  }, [pace]);
}
