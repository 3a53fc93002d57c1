// Sends one message by a channel and says how it went. Used by deliveries.ts and delivery-log.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import { secretOf, type Channel } from '../config/notification-settings.ts';
import { requireSecret, type SecretManager } from '../secrets/secret-manager.ts';
import { signedWebhook, slackBlocks, type Message } from './message.ts';

export interface SendDeps {
  secrets: Pick<SecretManager, 'get'>;
  /** Takes values of secrets out of a text. */
  clean(text: string): string;
}

/** How a try went. again: whether another one may help; away: the channel takes nothing now; afterSeconds: as it asked. */
export type Outcome =
  | { sent: true }
  | { sent: false; trouble: string; again: boolean; away: boolean; afterSeconds: number };

const TIMEOUT_MS = 10_000;
const LONGEST_PAUSE_SECONDS = 60 * 60;
/** It will not take this message, however often it is sent. */
const FOR_GOOD = new Set([400, 410, 413, 422]);

/** Sends it once; no redirect is followed. An abort of `signal` is thrown. */
export async function send(
  { secrets, clean }: SendDeps,
  channel: Channel,
  message: Message,
  signal: AbortSignal,
): Promise<Outcome> {
  const cleaned = { ...message, title: clean(message.title), body: clean(message.body) };
  try {
    const secret = (await requireSecret(secrets, secretOf(channel))).trim();
    const post = channel.kind === 'slack' ? slackBlocks(cleaned) : signedWebhook(cleaned, secret, new Date());
    const url = channel.kind === 'slack' ? addressOf(secret, channel) : channel.url;
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', 'user-agent': 'autocode', ...post.headers },
      body: post.body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    return response.ok ? { sent: true } : refused(response);
  } catch (error) {
    signal.throwIfAborted();
    const away = !(error instanceof AutocodeError);
    return { sent: false, trouble: clean(troubleOf(error)), again: true, away, afterSeconds: 0 };
  }
}

function refused({ status, headers }: Response): Outcome {
  const afterSeconds = retryAfter(headers.get('retry-after'), Date.now());
  const away = status === 429 || status === 503;
  return { sent: false, trouble: `It answered ${status}.`, again: !FOR_GOOD.has(status), away, afterSeconds };
}

/** Seconds to wait by a `Retry-After`, in either of its forms; at most an hour. */
export function retryAfter(header: string | null, now: number): number {
  if (header === null) return 0;
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds), LONGEST_PAUSE_SECONDS) : 0;
}

// The address is a secret: no error may name it.
function addressOf(secret: string, { name }: Channel): string {
  if (URL.canParse(secret) && /^https?:/.test(secret)) return secret;
  throw new AutocodeError('ERR_SECRET', `The secret of the channel ${name} is no http or https address.`, {
    remedy: 'Put the address of the incoming webhook there.',
  });
}

function troubleOf(error: unknown): string {
  if (error instanceof AutocodeError) return `${error.message} ${error.remedy ?? ''}`.trim();
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return `It did not answer within ${TIMEOUT_MS / 1000} s.`;
  const { code } = ((error as Error).cause ?? {}) as { code?: string };
  return code === undefined ? 'It could not be reached.' : `It could not be reached: ${code}.`;
}
