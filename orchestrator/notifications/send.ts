// Sends one message to where it goes and says how it went. Used by deliveries.ts and testing-ways.ts.
import type { HookChannel, NotificationSettings } from '../config/notification-settings.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';
import type { Message } from './message.ts';
import { later, never, ownTrouble, type Outcome } from './outcome.ts';
import { plainLine } from './plain.ts';
import { post } from './post.ts';
import type { Browser } from './push/send.ts';

export interface SendDeps {
  settings: Pick<NotificationSettings, 'email' | 'push'>;
  secrets: Pick<SecretManager, 'get' | 'put'>;
  /** Takes values of secrets out of a text. */
  clean(text: string): string;
  /** Which addresses push services may have; public ones when left out. */
  reachable?(address: string): boolean;
}

/** Where a message goes. */
export type Target = HookChannel | { kind: 'email'; to: string } | ({ kind: 'push' } & Browser);

const TIMEOUT_SECONDS = { slack: 10, webhook: 10, email: 30, push: 10 };

/** Sends it once. An abort of `signal` is thrown. */
export async function send(
  deps: SendDeps,
  target: Target,
  message: Message,
  signal: AbortSignal,
): Promise<Outcome> {
  const seconds = TIMEOUT_SECONDS[target.kind];
  const late = AbortSignal.timeout(seconds * 1000);
  const outcome = await sendBy(
    deps,
    target,
    cleaned(message, deps.clean),
    AbortSignal.any([signal, late]),
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    const own = ownTrouble(error);
    if (own !== undefined) return own;
    if (late.aborted) return later(`It did not answer within ${seconds} s.`, { away: true });
    return later(`It could not be sent: ${plainLine(String(error), 300)}`);
  });
  return outcome.sent ? outcome : { ...outcome, trouble: deps.clean(outcome.trouble) };
}

// What is not configured is not even loaded.
async function sendBy(
  { settings, secrets, reachable }: SendDeps,
  target: Target,
  message: Message,
  signal: AbortSignal,
): Promise<Outcome> {
  if (target.kind === 'push') {
    if (!settings.push.enabled) return never('The configuration has `notifications.push` off.');
    const [{ sendPush }, { pushKeys }] = await Promise.all([
      import('./push/send.ts'),
      import('./push/key.ts'),
    ]);
    const push = { settings: settings.push, keys: await pushKeys(secrets), reachable };
    return await sendPush(push, target, message, signal);
  }
  if (target.kind !== 'email') return await post(secrets, target, message, signal);
  if (settings.email === undefined) return never('The configuration has no server for email.');
  const { sendEmail } = await import('./email/send.ts');
  return await sendEmail(settings.email, secrets, target.to, message, signal);
}

function cleaned({ items, ...message }: Message, clean: (text: string) => string): Message {
  return {
    ...message,
    title: clean(message.title),
    body: clean(message.body),
    ...(items === undefined ? {} : { items: items.map((item) => ({ ...item, title: clean(item.title) })) }),
  };
}
