// Shows what the daemon sends to this browser, also while no page is open. Registered by src/inbox/push.ts; it answers no requests and keeps
// nothing, so that the page is always the daemon's own.
self.addEventListener('install', () => self.skipWaiting());

self.addEventListener('push', (event) => {
  const { id, title, body, path } = toldIn(event.data);
  const shown = self.registration.showNotification(title, {
    body,
    icon: '/icon.svg',
    // The open page tells the same by the same tag: it is seen once.
    ...(id === undefined ? {} : { tag: `notification-${id}` }),
    data: { path },
  });
  event.waitUntil(shown);
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data?.path));
});

// Browsers end a subscription for which nothing is shown: what cannot be read is shown as well.
function toldIn(data) {
  try {
    const { id, title, body, path } = data.json();
    if (typeof title === 'string') return { id, title, body: typeof body === 'string' ? body : '', path };
  } catch {
    // it is no message of this version
  }
  return { title: 'Autocode', body: 'There is something new in the inbox.', path: '/inbox' };
}

// A page that shows it already, else a new one: what is typed into another stays.
async function show(path) {
  const address = addressOf(path);
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const page = pages.find(({ url }) => url === address);
  await (page === undefined ? self.clients.openWindow(address) : page.focus());
}

// Never one of another site.
function addressOf(path) {
  const { origin } = self.location;
  try {
    const address = new URL(path ?? '/inbox', origin);
    if (address.origin === origin) return address.href;
  } catch {
    // it is no address
  }
  return `${origin}/inbox`;
}
