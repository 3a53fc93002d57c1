// What each kind of sender may send, and what is refused, over real HTTP: GitHub, GitLab, Gitea, Jira, Standard Webhooks and
// Alertmanager by one table.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { testApi, type TestApi } from '../../orchestrator/api/testing.ts';
import { addProject } from '../../orchestrator/intake/testing.ts';
import { fileSecrets } from '../../orchestrator/secrets/file.ts';
import { FORGE_KINDS } from '../../protocol/project.ts';

const KEY = randomBytes(32).toString('base64');
const BODY = Buffer.from('{ "title":  "The till is slow" }');
const LONG = Buffer.alloc(1024 * 1024 + 1, ' ');

interface Signing {
  body: Buffer;
  secret: string;
  id: string;
  /** Seconds since 1970. */
  at: number;
}
type Headers = Record<string, string>;

interface Sender {
  name: string;
  address: string;
  accepted: number;
  /** The header that shows who it is. */
  proof: string;
  /** The body is signed; else a secret goes with it. */
  signs: boolean;
  /** Two proofs, of which one is right, are enough: as while a secret is changed. */
  either: boolean;
  /** The time is signed too. */
  ages: boolean;
  headers(signing: Signing): Headers;
}

const hex = (secret: string, body: Buffer) => createHmac('sha256', secret).update(body).digest('hex');
const plain = { signs: true, either: false, ages: false };
const SENDERS: Sender[] = [
  {
    name: 'GitHub',
    address: '/webhooks/github/my-github',
    accepted: 204,
    proof: 'x-hub-signature-256',
    ...plain,
    headers: ({ body, secret, id }) => ({
      'x-github-delivery': id,
      'x-github-event': 'ping',
      'x-hub-signature-256': `sha256=${hex(secret, body)}`,
    }),
  },
  {
    name: 'Gitea',
    address: '/webhooks/gitea/my-gitea',
    accepted: 204,
    proof: 'x-gitea-signature',
    ...plain,
    headers: ({ body, secret, id }) => ({
      'x-gitea-delivery': id,
      'x-gitea-event': 'ping',
      'x-gitea-signature': hex(secret, body),
    }),
  },
  {
    name: 'GitLab',
    address: '/webhooks/gitlab/my-gitlab',
    accepted: 204,
    proof: 'x-gitlab-token',
    ...plain,
    signs: false,
    headers: ({ secret, id }) => ({
      'idempotency-key': id,
      'x-gitlab-event': 'Push Hook',
      'x-gitlab-token': secret,
    }),
  },
  {
    name: 'Jira',
    address: '/intake/hooks/jira',
    accepted: 202,
    proof: 'x-hub-signature',
    ...plain,
    headers: ({ body, secret, id }) => ({
      'x-atlassian-webhook-identifier': id,
      'x-hub-signature': `sha256=${hex(secret, body)}`,
    }),
  },
  {
    name: 'Standard Webhooks',
    address: '/intake/hooks/webhook',
    accepted: 202,
    proof: 'webhook-signature',
    signs: true,
    either: true,
    ages: true,
    headers: ({ body, secret, id, at }) => {
      const key = Buffer.from(secret, 'base64');
      const signature = createHmac('sha256', key).update(`${id}.${at}.`).update(body).digest('base64');
      return { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signature}` };
    },
  },
  {
    name: 'Alertmanager',
    address: '/intake/hooks/alertmanager',
    accepted: 202,
    proof: 'authorization',
    ...plain,
    signs: false,
    headers: ({ secret }) => ({ authorization: `Bearer ${secret}` }),
  },
];
const ADDED = ['jira', 'webhook', 'alertmanager'];

let api: TestApi;
let port: number;
before(async () => {
  const forges = FORGE_KINDS.map((kind) => ({
    name: `my-${kind}`,
    kind,
    url: `https://${kind}.example.com`,
  }));
  api = await testApi([`forges=${JSON.stringify(forges)}`]);
  const secrets = fileSecrets(path.join(api.directory, 'secrets'));
  for (const { name } of forges) await secrets.put(`webhook-${name}`, KEY);
  await addProject(api.db.pool, 'shop');
  for (const kind of ADDED) {
    const settings = kind === 'jira' ? { url: 'https://jira.example.com' } : {};
    const source = { name: kind, kind, project: 'shop', secret: KEY, settings };
    const { status, text } = await api.send('admin', 'POST', '/api/v1/intake/sources', source);
    assert.equal(status, 201, text);
  }
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  port = (api.app.server.address() as AddressInfo).port;
});
after(async () => await api?.[Symbol.asyncDispose]());

/** Sends a request as it is given, with headers that may come twice; the answer's status. */
async function send(
  address: string,
  headers: Record<string, string | string[]>,
  { method = 'POST', body = BODY, type = 'application/json' } = {},
): Promise<number> {
  const request = http.request({
    host: '127.0.0.1',
    port,
    path: `/api/v1${address}`,
    method,
    headers: { 'content-type': type, 'content-length': String(body.length), ...headers },
    agent: false,
  });
  // What is too long is refused before it was read to its end.
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });
  request.end(body);
  const response = await answered;
  request.on('error', () => {});
  request.destroy();
  return response.statusCode!;
}

async function stored(): Promise<number> {
  const { rows } = await api.db.pool.query<{ count: number }>(
    'select ((select count(*) from intake_delivery) + (select count(*) from delivery))::int as count',
  );
  return rows[0]!.count;
}

const now = () => Math.floor(Date.now() / 1000);
let ids = 0;
const fresh = (more: Partial<Signing> = {}): Signing => ({
  body: BODY,
  secret: KEY,
  id: `delivery-${++ids}`,
  at: now(),
  ...more,
});

for (const sender of SENDERS) {
  describe(`deliveries of ${sender.name}`, () => {
    const { address, accepted, proof, headers } = sender;
    const other = randomBytes(32).toString('base64');
    const changed = Buffer.from(BODY);
    changed[changed.length - 3]! ^= 1;
    const without = (name: string, all: Headers) =>
      Object.fromEntries(Object.entries(all).filter(([each]) => each !== name));
    const two = (first: Signing, second: Signing) => ({
      ...headers(second),
      [proof]: [headers(first)[proof]!, headers(second)[proof]!],
    });
    const twice = () => {
      const one = fresh();
      return two({ ...one, secret: other }, one);
    };
    const table: [string, number | number[], () => Promise<number>][] = [
      ['another secret', 401, async () => send(address, headers(fresh({ secret: other })))],
      ['no proof', 401, async () => send(address, without(proof, headers(fresh())))],
      ['an empty proof', 401, async () => send(address, { ...headers(fresh()), [proof]: '' })],
      [
        'half of the proof',
        401,
        async () => {
          const all = headers(fresh());
          return send(address, { ...all, [proof]: all[proof]!.slice(0, -20) });
        },
      ],
      ['no address of its own', 401, async () => send(`${address}-gone`, headers(fresh()))],
      [
        'more than a mebibyte',
        413,
        async () => send(address, headers(fresh({ body: LONG })), { body: LONG }),
      ],
      ['another method', [404, 405], async () => send(address, headers(fresh()), { method: 'PUT' })],
      ...(sender.signs
        ? [['one byte changed', 401, async () => send(address, headers(fresh()), { body: changed })] as const]
        : []),
      ...(sender.ages
        ? ([
            ['a time that is over', 401, async () => send(address, headers(fresh({ at: now() - 400 })))],
            ['a time to come', 401, async () => send(address, headers(fresh({ at: now() + 400 })))],
          ] as const)
        : []),
      ...(sender.either
        ? []
        : [['two proofs, the first of them wrong', 401, async () => send(address, twice())] as const]),
    ].map(([what, status, ask]) => [what, status, ask] as [string, number | number[], () => Promise<number>]);

    for (const [what, status, ask] of table)
      test(`with ${what} it is refused, and nothing of it is kept`, async () => {
        const before = await stored();
        const answer = await ask();
        assert.ok([status].flat().includes(answer), String(answer));
        assert.equal(await stored(), before);
      });

    test('as it should be it is kept, and again it is no second one', async () => {
      const before = await stored();
      const right = headers(fresh());
      assert.equal(await send(address, right), accepted);
      assert.equal(await send(address, right), accepted);
      assert.equal(await stored(), before + 1);
    });

    test('its content type decides nothing: what was signed are bytes', async () => {
      const body = Buffer.from(`{ "title": "${++ids}" }`);
      assert.equal(await send(address, headers(fresh({ body })), { body, type: 'text/plain' }), accepted);
    });

    if (sender.either)
      test('of two proofs one that is right is enough', async () =>
        assert.equal(await send(address, twice()), accepted));
  });
}
