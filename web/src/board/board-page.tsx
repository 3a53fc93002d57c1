// The board: tasks by state.
import { useQuery } from '@tanstack/react-query';
import type { Card } from '../../../protocol/board.ts';
import { get } from '../api/client.ts';
import { Badge } from '../ui/badge.tsx';
import { Empty } from '../ui/empty.tsx';
import { Problem } from '../ui/problem.tsx';

/** The page at `/`. */
export function BoardPage() {
  const { data: cards, error } = useQuery({
    queryKey: ['tasks', 'cards'],
    queryFn: async ({ signal }) => await get<Card[]>('/cards', { limit: 200 }, signal),
  });
  if (error) return <Problem error={error} />;
  if (cards?.length === 0) return <Empty title="No tasks yet" />;
  return (
    <ul className="divide-y divide-line">
      {cards?.map(({ id, title, column }) => (
        <li key={id} className="flex gap-3 px-4 py-1.5">
          <span className="text-muted">#{id}</span>
          <bdi className="flex-1 truncate">{title}</bdi>
          <Badge>{column}</Badge>
        </li>
      ))}
    </ul>
  );
}
