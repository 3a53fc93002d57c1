// What the inbox is narrowed to, as it stands in the address.
import type { NotificationKind } from '../../../protocol/notification.ts';
import { KINDS } from './words.ts';

export interface InboxFilter {
  unread: boolean;
  kind?: NotificationKind;
  project?: string;
}

/** The filter of an address; what it does not know is left out. */
export function inboxFilter(search: Record<string, unknown>): InboxFilter {
  const kind = KINDS.find((each) => each === search.kind);
  const { project } = search;
  return {
    unread: search.unread === true,
    ...(kind === undefined ? {} : { kind }),
    ...(typeof project === 'string' || typeof project === 'number' ? { project: String(project) } : {}),
  };
}

/** The address of a filter. */
export function searchOf({ unread, kind, project }: InboxFilter): Record<string, string | boolean> {
  return {
    ...(unread ? { unread } : {}),
    ...(kind === undefined ? {} : { kind }),
    ...(project === undefined || project === '' ? {} : { project }),
  };
}
