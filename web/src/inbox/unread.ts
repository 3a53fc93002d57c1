// How many notifications somebody has not read. Used by the bell, the window's title and the inbox.
import { useQuery } from '@tanstack/react-query';
import type { Inbox } from '../../../protocol/notification.ts';
import { get } from '../api/client.ts';

/** The count; asked for anew when something was told, or the window is looked at again. */
export function useUnread(): number {
  const { data } = useQuery({
    queryKey: ['notification', 'unread'],
    queryFn: async ({ signal }) => await get<Inbox>('/notifications', { unread: true, limit: 1 }, signal),
    refetchOnWindowFocus: true, // what was read in another browser is no event
  });
  return data?.unread ?? 0;
}

/** The count in few letters. */
export function countText(unread: number): string {
  return unread > 99 ? '99+' : String(unread);
}
