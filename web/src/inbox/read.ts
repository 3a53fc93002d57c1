// Notes what somebody has read. Used by the inbox.
import { send } from '../api/client.ts';

/** Notes what was read; how many were not before. */
export async function markRead(read: { upTo: number } | { only: number[] }): Promise<number> {
  return (await send<{ read: number }>('POST', '/notifications/read', read)).read;
}

/** What was done, in words. */
export function told(count: number): string {
  return count === 1 ? 'One is marked as read.' : `${count} are marked as read.`;
}
