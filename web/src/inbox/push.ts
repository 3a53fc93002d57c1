// This browser's subscription to a push service, by which the daemon reaches it while no page is open. Used by browsers.tsx, and by the
// shell where one was made earlier.
import type { PushKey, PushSubscription as Kept } from '../../../protocol/notification-ways.ts';
import { get, send } from '../api/client.ts';
import { chooseWay, type Way } from './own-browser.ts';

const WORKER = '/push-worker.js';

/** Why this browser shows no notifications, in words for whoever would like them; undefined when it can. */
export function whyNot(): string | undefined {
  if (!window.isSecureContext)
    return 'Browsers allow it only over https, or from localhost: see `tls` in the configuration.';
  if (!('Notification' in window)) return 'This browser has no notifications.';
  if (!('serviceWorker' in navigator)) return 'This browser has no service workers, as in private windows.';
  if (Notification.permission === 'denied')
    return 'They are blocked in the settings of this browser: allow them for this address, and try again.';
  return undefined;
}

/** Asks for permission, and subscribes where that is possible; what came of it, and why it is not more. */
export async function notifyHere(person: string): Promise<{ way: Way | undefined; why?: string }> {
  if ((await Notification.requestPermission()) !== 'granted') return { way: undefined };
  await navigator.serviceWorker.register(WORKER);
  const { key } = await get<PushKey>('/push-key');
  const why = key === null ? 'this installation sends nothing to browsers' : await tried(key);
  const way = why === undefined ? 'push' : 'page';
  chooseWay(person, way);
  return { way, ...(why === undefined ? {} : { why }) };
}

async function tried(key: string): Promise<string | undefined> {
  if (!('PushManager' in window)) return 'this browser has no push service';
  try {
    await subscribe(key);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Subscribes anew where the browser has lost its subscription; ends it where it was removed from the list elsewhere. */
export async function renew(person: string): Promise<void> {
  const own = await ownEndpoint();
  if (own !== undefined) {
    const kept = await get<Kept[]>('/push-subscriptions');
    if (!kept.some(({ endpoint }) => endpoint === own)) await stopHere(person);
    return;
  }
  const { key } = await get<PushKey>('/push-key');
  if (key === null || Notification.permission !== 'granted') chooseWay(person, undefined);
  else await subscribe(key);
}

async function subscribe(key: string): Promise<void> {
  await navigator.serviceWorker.register(WORKER);
  const { pushManager } = await navigator.serviceWorker.ready;
  await (await pushManager.getSubscription())?.unsubscribe(); // its key may be another
  const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const { endpoint, keys } = made.toJSON();
  try {
    await send('POST', '/push-subscriptions', { endpoint, keys, label: browserName() });
  } catch (error) {
    await made.unsubscribe();
    throw error;
  }
}

/** Ends what this browser has. */
export async function stopHere(person: string): Promise<void> {
  chooseWay(person, undefined);
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
  await registration?.unregister();
}

/** By what the daemon knows this browser; undefined where it is not subscribed. */
export async function ownEndpoint(): Promise<string | undefined> {
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  return (await registration?.pushManager.getSubscription())?.endpoint;
}

/** What this browser is called in lists: `Firefox on Linux`. */
function browserName(): string {
  const { userAgent } = navigator;
  const named = (names: [word: RegExp, name: string][]) => names.find(([word]) => word.test(userAgent))?.[1];
  const browser = named([
    [/Edg\//, 'Edge'],
    [/Firefox\//, 'Firefox'],
    [/Chrome\//, 'Chrome'],
    [/Safari\//, 'Safari'],
  ]);
  const system = named([
    [/Android/, 'Android'],
    [/iPhone|iPad/, 'iOS'],
    [/Mac OS/, 'macOS'],
    [/Windows/, 'Windows'],
    [/Linux/, 'Linux'],
  ]);
  return [browser ?? 'A browser', ...(system === undefined ? [] : [system])].join(' on ');
}
