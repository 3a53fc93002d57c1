// Browser push against a real HTTPS receiver on loopback: who sends, what arrives, what is refused, what is forgotten.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import tls from 'node:tls';
import { testDatabase } from '../../../test/support/database.ts';
import type { Database } from '../../db/connect.ts';
import { emit } from '../../events/outbox.ts';
import { createPerson } from '../../people/people.ts';
import { aProject, aTask } from '../../tasks/testing/work.ts';
import { sendDeliveries, type DeliveryDeps } from '../deliveries.ts';
import { readInbox } from '../inbox.ts';
import { addRule } from '../rules.ts';
import { depsFor, hurry, takeAll } from '../testing.ts';
import { pushKeys } from './key.ts';
import { addSubscription, isAllowed, listSubscriptions } from './subscriptions.ts';
import { pushService, testBrowser, type Pushed } from './testing.ts';

const SUBJECT = 'mailto:ops@example.com';

function pushDeps(db: Database, hosts = ['localhost']): DeliveryDeps {
  const deps = depsFor(db, 'http://127.0.0.1:1', { push: { enabled: true, subject: SUBJECT, hosts } });
  return { ...deps, reachable: () => true };
}

const go = async (deps: DeliveryDeps) => await sendDeliveries(deps, new AbortController().signal);

async function happen(db: Database, deps: DeliveryDeps, project: number, title: string): Promise<void> {
  const { id } = await aTask(db, 'p', { title });
  await emit(db, { kind: 'task.state', project, task: id, data: { to: 'failed', reason: 'no model' } });
  await takeAll(db, deps.settings);
  await go(deps);
}

/** The claims of a request's token, whose signature is that of the key that it names. */
function claimsOf({ headers }: Pushed, key: string): { aud: string; sub: string; exp: number } {
  const [, token = '', named = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(String(headers.authorization)) ?? [];
  assert.equal(named, key);
  const point = Buffer.from(named, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x!, y: y! }, format: 'jwk' });
  const [head, claims = '', signature = ''] = token.split('.');
  const signed = Buffer.from(`${head}.${claims}`);
  const by = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
  assert.ok(verify('sha256', signed, by, Buffer.from(signature, 'base64url')));
  return JSON.parse(Buffer.from(claims, 'base64url').toString());
}

test('a subscribed browser is sent what the inbox gets, sealed for it and signed by the key that it subscribed with', async () => {
  await using db = await testDatabase();
  await using service = await pushService();
  const before = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...before, service.authority]);
  using _ = { [Symbol.dispose]: () => tls.setDefaultCACertificates(before) };
  const deps = pushDeps(db.pool);
  const { id: project } = await aProject(db.pool);
  const ann = await createPerson(db.pool, { name: 'ann', role: 'viewer', projects: {} }, 'me');
  await addRule(
    db.pool,
    { person: ann.id, project: null, kinds: ['task.failed'], channels: [], ownTasks: false },
    'me',
  );
  const { publicKey } = await pushKeys(deps.secrets);
  assert.equal((await pushKeys(deps.secrets)).publicKey, publicKey, 'it is made once');
  const browser = testBrowser();
  const endpoint = `${service.url}/push/1`;
  const input = { endpoint, keys: browser.keys, label: 'Firefox' };
  await addSubscription(db.pool, ann.id, input, deps.settings.push);
  await happen(db.pool, deps, project, 'Fix <b>it</b> hunter2');

  const [first] = service.received;
  assert.equal(first!.path, '/push/1');
  const { notifications } = await readInbox(
    db.pool,
    { person: ann.id, projects: undefined },
    { unread: true, limit: 1 },
  );
  assert.deepEqual(JSON.parse(browser.open(first!.body)), {
    id: notifications[0]!.id,
    title: 'Failed: Fix <b>it</b> [secret]',
    body: 'project p, task 1\nno model',
    path: '/tasks/1',
  });
  const claims = claimsOf(first!, publicKey);
  assert.partialDeepStrictEqual(claims, { aud: service.url, sub: SUBJECT });
  assert.ok(claims.exp * 1000 > Date.now());

  service.answers.push(500);
  await happen(db.pool, deps, project, 'second');
  await hurry(db.pool);
  await go(deps);
  assert.equal(service.received.length, 3, 'what failed is tried again');
  service.answers.push(410);
  await happen(db.pool, deps, project, 'third');
  assert.deepEqual(await listSubscriptions(db.pool, ann.id), [], 'its browser has ended it');
  await happen(db.pool, deps, project, 'fourth');
  assert.equal(service.received.length, 4);
  const { rows } = await db.pool.query('select state, trouble from notification_delivery order by id');
  assert.deepEqual(rows, [
    { state: 'sent', trouble: null },
    { state: 'sent', trouble: null },
    { state: 'failed', trouble: 'The browser has ended its subscription.' },
  ]);
});

test('nothing is sent to a push service that resolves to the inside, or that is not allowed any more', async () => {
  await using db = await testDatabase();
  await using service = await pushService();
  const { reachable: _, ...deps } = pushDeps(db.pool, ['localhost', '127.0.0.1']);
  const { id: project } = await aProject(db.pool);
  const ann = await createPerson(db.pool, { name: 'ann', role: 'viewer', projects: {} }, 'me');
  await addRule(
    db.pool,
    { person: ann.id, project: null, kinds: ['task.failed'], channels: [], ownTasks: false },
    'me',
  );
  const subscribe = async (endpoint: string) =>
    await addSubscription(
      db.pool,
      ann.id,
      { endpoint, keys: testBrowser().keys, label: 'x' },
      deps.settings.push,
    );
  await subscribe(service.url);
  await subscribe(service.url.replace('localhost', '127.0.0.1'));
  await happen(db.pool, deps, project, 'first');
  const narrowed = {
    ...deps,
    settings: { ...deps.settings, push: { ...deps.settings.push, hosts: ['push.example.com'] } },
  };
  await happen(db.pool, narrowed, project, 'second');
  assert.equal(service.received.length, 0);
  const { rows } = await db.pool.query<{ trouble: string }>(
    'select trouble from notification_delivery order by id',
  );
  for (const { trouble } of rows.slice(0, 2)) assert.match(trouble, /is at no public address/);
  for (const { trouble } of rows.slice(2)) assert.match(trouble, /^Nothing is sent to/);
  assert.equal(rows.length, 4);
});

test('which push services are allowed goes by whole names, and by https alone', () => {
  const hosts = ['fcm.googleapis.com', '*.push.apple.com'];
  const table: [string, boolean][] = [
    ['https://fcm.googleapis.com/fcm/send/x', true],
    ['https://FCM.googleapis.com/x', true],
    ['https://web.push.apple.com/x', true],
    ['https://push.apple.com/x', false],
    ['https://evilpush.apple.com/x', false],
    ['https://fcm.googleapis.com.evil.example/x', false],
    ['https://user@fcm.googleapis.com/x', false],
    ['http://fcm.googleapis.com/x', false],
  ];
  for (const [endpoint, allowed] of table) assert.equal(isAllowed(endpoint, hosts), allowed, endpoint);
});
