// Sends a message to Slack or to a webhook, by one request. Used by send.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import { secretOf, type HookChannel } from '../config/notification-settings.ts';
import { requireSecret, type SecretManager } from '../secrets/secret-manager.ts';
import { signedWebhook, slackBlocks, type Message } from './message.ts';
import { later, never, retryAfter, type Outcome } from './outcome.ts';

/** It will not take this message, however often it is sent. */
const FOR_GOOD = new Set([400, 410, 413, 422]);

/** Sends it once; no redirect is followed. */
export async function post(
  secrets: Pick<SecretManager, 'get'>,
  channel: HookChannel,
  message: Message,
  signal: AbortSignal,
): Promise<Outcome> {
  const secret = (await requireSecret(secrets, secretOf(channel))).trim();
  const { headers, body } =
    channel.kind === 'slack' ? slackBlocks(message) : signedWebhook(message, secret, new Date());
  const url = channel.kind === 'slack' ? addressOf(secret, channel) : channel.url;
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', 'user-agent': 'autocode', ...headers },
      body,
      signal,
    });
    await response.body?.cancel();
    return response.ok ? { sent: true } : refused(response);
  } catch (error) {
    signal.throwIfAborted();
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    return later(`It could not be reached${code === undefined ? '' : `: ${code}`}.`, { away: true });
  }
}

function refused({ status, headers }: Response): Outcome {
  const trouble = `It answered ${status}.`;
  if (FOR_GOOD.has(status)) return never(trouble);
  const afterSeconds = retryAfter(headers.get('retry-after'), Date.now());
  return later(trouble, { away: status === 429 || status === 503, afterSeconds });
}

// The address is a secret: no error may name it.
function addressOf(secret: string, { name }: HookChannel): string {
  if (URL.canParse(secret) && /^https?:/.test(secret)) return secret;
  throw new AutocodeError('ERR_SECRET', `The secret of the channel ${name} is no http or https address.`, {
    remedy: 'Put the address of the incoming webhook there.',
  });
}
