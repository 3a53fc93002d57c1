// A notification as each kind of channel is told it. Used by post.ts, email/ and push/.
import { createHmac } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';
import { cut } from './plain.ts';

/** What is sent. */
export interface Message {
  /** The same with each try: by it a receiver tells that it had it before. */
  id: string;
  kind: string;
  project: string | null;
  task: number | null;
  title: string;
  body: string;
  /** Address of the web page for it, where the configuration says one. */
  url: string | null;
  /** The parts of a digest, whose body says them in words. */
  items?: Item[];
  at: Date;
}

/** A part of a digest. */
export interface Item {
  kind: string;
  project: string | null;
  task: number | null;
  title: string;
  url: string | null;
}

export interface Post {
  headers: Record<string, string>;
  body: string;
}

/** A webhook, signed as Standard Webhooks says (https://www.standardwebhooks.com); ERR_SECRET for a key that is none. */
export function signedWebhook(message: Message, secret: string, now: Date): Post {
  const key = Buffer.from(secret.trim().replace(/^whsec_/, ''), 'base64');
  if (key.length < 24)
    throw new AutocodeError('ERR_SECRET', 'The key that it is signed with is too short, or not in base64.', {
      remedy: 'Use `whsec_` and at least 24 random bytes in base64.',
    });
  const { id, kind, at, ...data } = message;
  const body = JSON.stringify({ type: kind, timestamp: at.toISOString(), data: { id, ...data } });
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    headers: {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    },
    body,
  };
}

/** For an incoming webhook of Slack, in Block Kit; texts are plain, so that nothing in them is a link or calls people. */
export function slackBlocks({ kind, project, title, body, url }: Message): Post {
  const plain = (text: string) => ({ type: 'plain_text', text, emoji: false });
  const origin = [kind, ...(project === null ? [] : [project])].map(escaped).join(' · ');
  const link = url === null ? '' : ` · <${escaped(url)}|Open in Autocode>`;
  const blocks = [
    { type: 'header', text: plain(cut(title, 150)) },
    ...(body === '' ? [] : [{ type: 'section', text: plain(cut(body, 3000)) }]),
    { type: 'context', elements: [{ type: 'mrkdwn', text: `${origin}${link}` }] },
  ];
  const text = escaped(title);
  return { headers: {}, body: JSON.stringify({ text, blocks, unfurl_links: false, unfurl_media: false }) };
}

// As Slack says: these three, and no others.
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
