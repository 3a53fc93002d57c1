// Email by a real SMTP server on loopback: letters as they arrive, and what goes wrong on the way.
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import tls from 'node:tls';
import { EmailSettings } from '../../config/notification-settings.ts';
import type { Message } from '../message.ts';
import type { Outcome } from '../outcome.ts';
import { send } from '../send.ts';
import { mailServer, PASSWORD, USER } from './testing.ts';

const MESSAGE: Message = {
  id: '5b2f7d1e-0000-4000-8000-000000000001',
  kind: 'task.failed',
  project: 'shop',
  task: 7,
  title: 'Failed: <b>it</b>\r\nBcc: eve@example.org\r\n\r\n\u202eevil',
  body: 'project shop, task 7\n<script>alert(1)</script> "hunter2" .\n.\n',
  url: 'https://autocode.example/tasks/7?a="&b',
  at: new Date('2026-03-01T12:00:00Z'),
};

type Given = Partial<EmailSettings> & { password?: string; signal?: AbortSignal };

async function mail(
  { password = PASSWORD, signal = new AbortController().signal, ...given }: Given,
  message = MESSAGE,
): Promise<Outcome> {
  const email = EmailSettings.parse({
    host: 'localhost',
    from: 'autocode@example.com',
    user: USER,
    ...given,
  });
  const secrets = { get: async () => ({ value: `${password}\n`, version: 1 }), put: async () => 1 };
  const clean = (text: string) => text.replaceAll('hunter2', '[secret]');
  return await send(
    { settings: { email, push: { enabled: false, hosts: [] } }, secrets, clean },
    { kind: 'email', to: 'ann@example.org' },
    message,
    signal,
  );
}

/** Trusts an authority, as NODE_EXTRA_CA_CERTS has the daemon do. */
function trust(authority: string): Disposable {
  const before = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...before, authority]);
  return { [Symbol.dispose]: () => tls.setDefaultCACertificates(before) };
}

const trouble = (outcome: Outcome) => (outcome.sent ? assert.fail('it was sent') : outcome);

test('a letter has one subject, no header of a title, and nothing of it is markup; a second try is the same letter', async () => {
  await using server = await mailServer();
  using _ = trust(server.authority);
  const given = { port: server.port };
  assert.deepEqual(await mail(given), { sent: true });
  assert.deepEqual(await mail(given), { sent: true });
  const [first, second] = server.received;
  assert.partialDeepStrictEqual(first, { from: 'autocode@example.com', to: 'ann@example.org' });
  const [head = '', ...rest] = first!.raw.split('\r\n\r\n');
  const headers = new Map(
    head
      .replaceAll(/\r\n\s+/g, ' ')
      .split('\r\n')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const),
  );
  assert.deepEqual([...headers.keys()].toSorted(), [
    'Auto-Submitted',
    'Content-Type',
    'Date',
    'From',
    'MIME-Version',
    'Message-ID',
    'Subject',
    'To',
  ]);
  assert.partialDeepStrictEqual(Object.fromEntries(headers), {
    'Auto-Submitted': 'auto-generated',
    From: 'Autocode <autocode@example.com>',
    To: 'ann@example.org',
    Date: 'Sun, 01 Mar 2026 12:00:00 +0000',
    'Message-ID': `<${MESSAGE.id}@example.com>`,
    Subject: 'Failed: <b>it</b> Bcc: eve@example.org evil',
  });
  const body = rest.join('\r\n\r\n').replaceAll('=\r\n', '').replaceAll('=3D', '=');
  const [text = '', html = ''] = body.split('Content-Type: text/html');
  assert.match(text, /<script>alert\(1\)<\/script> "\[secret\]"/);
  assert.match(text, /https:\/\/autocode\.example\/tasks\/7\?a="&b/);
  assert.doesNotMatch(html, /<script|<b>|hunter2|a="&b/);
  assert.match(html, /&lt;script&gt;alert\(1\)&lt;\/script&gt; &quot;\[secret\]&quot;/);
  assert.match(html, /<a href="https:\/\/autocode\.example\/tasks\/7\?a=&quot;&amp;b">Open in Autocode<\/a>/);
  assert.match(second!.raw, new RegExp(`Message-ID: <${MESSAGE.id}@example.com>`));
});

test('a digest has its parts, each with its link', async () => {
  await using server = await mailServer({ tls: 'none' });
  const item = {
    kind: 'task.failed',
    project: 'shop',
    task: 7,
    title: 'Failed: <it>',
    url: 'https://a.example/tasks/7',
  };
  const items = [item, { ...item, title: 'No link', url: null }];
  const message = { ...MESSAGE, title: '2 notifications', body: 'x', items };
  assert.deepEqual(await mail({ port: server.port, tls: 'none' }, message), { sent: true });
  const raw = server.received[0]!.raw.replaceAll('=\r\n', '').replaceAll('=3D', '=');
  assert.match(
    raw,
    /<li><a href="https:\/\/a\.example\/tasks\/7">Failed: &lt;it&gt;<\/a><\/li><li>No link<\/li>/,
  );
  assert.match(raw, /- Failed: <it>\r\n {2}https:\/\/a\.example\/tasks\/7\r\n- No link/);
});

test('TLS from the beginning works; what is wrong with a certificate is named', async () => {
  await using server = await mailServer({ tls: 'implicit' });
  const given = { port: server.port, tls: 'implicit' } as const;
  assert.match(trouble(await mail(given)).trouble, /authority that is not known here.*NODE_EXTRA_CA_CERTS/);
  using _ = trust(server.authority);
  assert.deepEqual(await mail(given), { sent: true });

  await using other = await mailServer({ names: ['mail.example.com'] });
  using __ = trust(other.authority);
  assert.match(trouble(await mail({ port: other.port })).trouble, /is for other names/);
  assert.match(trouble(await mail({ port: other.port, tls: 'implicit' })).trouble, /does not begin with TLS/);
});

test('without STARTTLS nothing is sent, and no password', async () => {
  await using server = await mailServer({ tls: 'none' });
  const outcome = trouble(await mail({ port: server.port }));
  assert.partialDeepStrictEqual(outcome, { again: true, away: true });
  assert.match(outcome.trouble, /offers no STARTTLS/);
  assert.equal(server.received.length, 0);
  const away = EmailSettings.safeParse({
    host: 'mail.example.com',
    from: 'a@b.example',
    user: 'u',
    tls: 'none',
  });
  assert.equal(away.success, false);
});

test('a wrong password is told without it, and tried again later', async () => {
  await using server = await mailServer({ tls: 'none' });
  const outcome = trouble(await mail({ port: server.port, tls: 'none', password: 'wrong horse' }));
  assert.partialDeepStrictEqual(outcome, { again: true, away: true });
  assert.match(outcome.trouble, /did not take the user or the password.*535/);
  assert.doesNotMatch(outcome.trouble, /horse/);
});

test('what is refused for good is given up, what is refused for now is tried again', async () => {
  await using server = await mailServer({ tls: 'none' });
  const given = { port: server.port, tls: 'none' } as const;
  const cases: [at: 'recipients' | 'letters', code: number, again: boolean, away: boolean][] = [
    ['recipients', 550, false, false],
    ['recipients', 450, true, false],
    ['letters', 554, false, false],
    ['letters', 451, true, false],
    ['recipients', 421, true, true],
  ];
  for (const [at, code, again, away] of cases) {
    server[at].push(code);
    const outcome = trouble(await mail(given));
    assert.partialDeepStrictEqual(outcome, { again, away }, `${at} ${code}`);
    assert.match(outcome.trouble, new RegExp(`^localhost said: ${code} `));
    assert.doesNotMatch(outcome.trouble, /\u202e/);
  }
  assert.deepEqual(await mail(given), { sent: true });
});

test('a server that is away, or that says nothing, holds up nobody', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const stopped = new AbortController();
  const slow = mail({ port, signal: stopped.signal });
  await once(silent, 'connection');
  stopped.abort();
  await assert.rejects(slow, { name: 'AbortError' });
  for (const socket of sockets) socket.destroy();
  silent.close();
  await once(silent, 'close');
  const outcome = trouble(await mail({ port }));
  assert.partialDeepStrictEqual(outcome, { again: true, away: true });
  assert.match(outcome.trouble, /localhost could not be reached: ECONNREFUSED/);
});
