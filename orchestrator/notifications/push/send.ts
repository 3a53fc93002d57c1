// Sends a message to a browser by its push service, encrypted for that browser alone. Loaded where `notifications.push` is on. Used by
// ../send.ts.
import { lookup as resolve } from 'node:dns';
import { request } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import webPush from 'web-push';
import type { PushSettings } from '../../config/notification-settings.ts';
import { isPublic, readAddress } from '../../egress/policy/address.ts';
import { pressureOf } from '../hold.ts';
import type { Message } from '../message.ts';
import { later, never, retryAfter, type Outcome } from '../outcome.ts';
import { cut } from '../plain.ts';
import type { PushKeys } from './key.ts';
import { isAllowed } from './subscriptions.ts';

/** A subscribed browser, with what it shows when the notification is clicked, and the row of the inbox that it is about. */
export interface Browser {
  endpoint: string;
  p256dh: string;
  auth: string;
  path: string | null;
  notification: number | null;
}

export interface PushDeps {
  settings: PushSettings;
  keys: PushKeys;
  /** Which addresses a push service may have: nothing is sent into the inside. */
  reachable?: ((address: string) => boolean) | undefined;
}

const DAY_SECONDS = 24 * 60 * 60;
const NOT_REACHABLE = 'ENOTPUBLIC';

/** Sends it once; an abort of `signal` is thrown. */
export async function sendPush(
  { settings, keys, reachable = isOutside }: PushDeps,
  { endpoint, p256dh, auth, path, notification }: Browser,
  { kind, title, body }: Message,
  signal: AbortSignal,
): Promise<Outcome> {
  const { subject, hosts } = settings;
  const { hostname } = new URL(endpoint);
  if (subject === undefined || !isAllowed(endpoint, hosts))
    return never(`Nothing is sent to ${hostname} (\`notifications.push.hosts\`).`);
  if (isIP(hostname) !== 0 && !reachable(hostname)) return inside(hostname);
  const payload = { id: notification ?? undefined, title: cut(title, 150), body: cut(body, 500), path };
  const { headers, body: sealed } = webPush.generateRequestDetails(
    { endpoint, keys: { p256dh, auth } },
    JSON.stringify(payload),
    {
      vapidDetails: { subject, ...keys },
      TTL: DAY_SECONDS,
      urgency: pressureOf(kind) === 'collected' ? 'normal' : 'high',
    },
  );
  try {
    const { status, after } = await post(endpoint, headers, sealed, lookupOf(reachable), signal);
    return outcomeOf(status, hostname, retryAfter(after, Date.now()));
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    if (code === NOT_REACHABLE) return inside(hostname);
    return later(`${hostname} could not be reached: ${code ?? 'no reason given'}.`, { away: true });
  }
}

function outcomeOf(status: number, hostname: string, afterSeconds: number): Outcome {
  if (status >= 200 && status < 300) return { sent: true };
  const trouble = `${hostname} answered ${status}.`;
  if (status === 404 || status === 410)
    return never('The browser has ended its subscription.', { gone: true });
  if (status === 400 || status === 413) return never(trouble);
  return later(trouble, { away: status === 429 || status >= 500, afterSeconds });
}

function inside(hostname: string): Outcome {
  return never(`${hostname} is at no public address: nothing is sent there.`);
}

// Decided where the connection is made: what a name stands for may change in between.
function lookupOf(reachable: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) =>
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '');
      if (!found.every(({ address }) => reachable(address)))
        return callback(Object.assign(new Error('no public address'), { code: NOT_REACHABLE }), '');
      if (options.all === true) return callback(null, found);
      callback(null, found[0]!.address, found[0]!.family);
    });
}

// No redirect is followed, and nothing of the answer is read but its head.
async function post(
  url: string,
  headers: Record<string, unknown>,
  body: Buffer,
  lookup: LookupFunction,
  signal: AbortSignal,
): Promise<{ status: number; after: string | null }> {
  return await new Promise((resolve, reject) => {
    const asked = request(
      url,
      { method: 'POST', headers: headers as Record<string, string>, lookup, signal, agent: false },
      (answer) => {
        resolve({ status: answer.statusCode ?? 0, after: answer.headers['retry-after'] ?? null });
        answer.destroy();
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

function isOutside(address: string): boolean {
  const read = readAddress(address);
  return read !== null && isPublic(read);
}
