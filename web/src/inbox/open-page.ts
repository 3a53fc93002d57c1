// Has the browser tell what is new in the inbox as long as a page is open: where no push service can be reached. Used by the shell.
import { useEffect } from 'react';
import type { Event } from '../../../protocol/event.ts';
import type { Inbox, Notification as Told } from '../../../protocol/notification.ts';
import { get } from '../api/client.ts';
import { useEvents } from '../live/live.ts';
import { visible } from '../log/visible.ts';
import { useUser } from '../session/session.ts';
import { chosenWay } from './own-browser.ts';

const MOST = 3;
let person: string | undefined;
let last: number | undefined;

/** Begins to tell what comes from now on, if that was chosen for this browser. */
export function useOpenPage(): void {
  const name = useUser()?.name;
  useEffect(() => {
    person = name;
    if (name === undefined) return;
    const way = chosenWay(name);
    if (way === 'page') void tellFromNow();
    // What cannot be done now is done with the next page.
    if (way === 'push') import('./push.ts').then(({ renew }) => renew(name)).catch(() => {});
  }, [name]);
  useEvents(onEvent);
}

/** What is in the inbox now is not told. */
export async function tellFromNow(): Promise<void> {
  last = undefined;
  await look();
}

function onEvent({ kind }: Event): void {
  if (kind === 'notification.told' && person !== undefined && chosenWay(person) === 'page') void look();
}

async function look(): Promise<void> {
  const asked = { unread: true, limit: MOST };
  const inbox = await get<Inbox>('/notifications', asked).catch(() => undefined); // the bell counts it later
  if (inbox === undefined) return;
  const before = last;
  last = Math.max(before ?? 0, ...inbox.notifications.map(({ id }) => id));
  if (before === undefined) return;
  const registration = await navigator.serviceWorker.ready;
  for (const told of inbox.notifications.filter(({ id }) => id > before).toReversed()) {
    await registration.showNotification(visible(told.title), shown(told)).catch(() => {}); // it is not permitted any more
  }
}

// Several open pages tell by the same tag: it is seen once.
function shown({ id, body, path }: Told): NotificationOptions {
  return { body: visible(body), icon: '/icon.svg', tag: `notification-${id}`, data: { path } };
}
