// A notification as an email: plain text, and the same in HTML in which nothing of it is markup. Used by send.ts.
import type { Message } from '../message.ts';
import { plainLine } from '../plain.ts';

/** As nodemailer takes it. Each try of a message is the same letter, so that a server or a reader can tell that it had it. */
export function letter(message: Message, from: string, to: string) {
  const { id, title, at } = message;
  return {
    from: { name: 'Autocode', address: from },
    to: { name: '', address: to },
    subject: plainLine(title),
    date: at,
    messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    text: textOf(message),
    html: htmlOf(message),
    headers: { 'Auto-Submitted': 'auto-generated' },
    xMailer: false as const,
  };
}

/** Of each kind of letter: what its link is called, and why it comes. */
const USUAL = { link: 'Open in Autocode', why: 'Autocode tells you this by your notification rules.' };
const CONFIRMATION = {
  link: 'Confirm in Autocode',
  why: 'Nothing more is sent to this address until it is confirmed. If this is none of yours, leave it alone.',
};

function textOf({ kind, title, body, url, items = [] }: Message): string {
  const { why } = kind === 'email.confirmation' ? CONFIRMATION : USUAL;
  const lines = items.flatMap((item) => [`- ${item.title}`, ...(item.url === null ? [] : [`  ${item.url}`])]);
  const told = items.length > 0 ? lines.join('\n') : body;
  return [title, told, url ?? '', `-- \n${why}`].filter((part) => part !== '').join('\n\n');
}

function htmlOf({ kind, title, body, url, items = [] }: Message): string {
  const { link, why } = kind === 'email.confirmation' ? CONFIRMATION : USUAL;
  const list = items.map((item) => `<li>${linked(item.title, item.url)}</li>`).join('');
  const told = items.length > 0 ? `<ul>${list}</ul>` : `<p style="white-space:pre-line">${escaped(body)}</p>`;
  return [
    '<!doctype html><html><body style="font-family:sans-serif;line-height:1.5">',
    `<h1 style="font-size:1.2em">${escaped(title)}</h1>`,
    told,
    ...(url === null ? [] : [`<p>${linked(link, url)}</p>`]),
    `<p style="color:#666;font-size:0.85em">${why}</p></body></html>`,
  ].join('\n');
}

function linked(text: string, url: string | null): string {
  return url === null ? escaped(text) : `<a href="${escaped(url)}">${escaped(text)}</a>`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
