// How people are told, by the API: rules that change, settings, browsers, tests of one's own.
import assert from 'node:assert/strict';
import { createECDH, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createToken } from '../../access/tokens.ts';
import { mailServer } from '../../notifications/email/testing.ts';
import { testBrowser } from '../../notifications/push/testing.ts';
import { aProject } from '../../tasks/testing/work.ts';
import { testApi, type TestApi } from '../testing.ts';

const flags = (part: string, settings: object) =>
  Object.entries(settings).map(
    ([key, value]) =>
      `notifications.${part}.${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );

async function person(api: TestApi, name: string, rights: object = { role: 'viewer' }) {
  const { body } = await api.send('admin', 'POST', '/api/v1/people', { name, ...rights });
  const { token } = await createToken(api.db.pool, { name, role: 'viewer', person: body.person.id });
  return async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) =>
    await api.send(null, method, `/api/v1${url}`, payload, { authorization: `Bearer ${token}` });
}

test('a rule is changed in what is given, by its person within what is theirs, by admins wholly', async () => {
  const channels = [
    { name: 'ops', kind: 'slack' },
    { name: 'team', kind: 'slack', forPeople: true },
  ];
  await using api = await testApi([`notifications.channels=${JSON.stringify(channels)}`]);
  await aProject(api.db.pool, 'shop');
  await aProject(api.db.pool, 'vault');
  const ann = await person(api, 'ann', { projects: { shop: 'viewer' } });
  const made = await ann('POST', '/own-notification-rules', { kinds: ['task.failed'], channels: ['team'] });
  const path = `/own-notification-rules/${made.body.id}`;
  const changed = await ann('PATCH', path, { project: 'shop' });
  assert.partialDeepStrictEqual(changed, {
    status: 200,
    body: { id: made.body.id, project: 'shop', kinds: ['task.failed'], channels: ['team'] },
  });
  assert.partialDeepStrictEqual(
    (await ann('PATCH', path, { project: null, kinds: ['change.ready'], channels: [] })).body,
    { project: null, kinds: ['change.ready'], channels: [] },
  );
  assert.equal((await ann('PATCH', path, { project: 'vault' })).status, 404);
  assert.equal((await ann('PATCH', path, { channels: ['ops'] })).status, 403);
  assert.equal((await ann('PATCH', path, { kinds: [] })).status, 400);
  assert.equal((await ann('PATCH', '/own-notification-rules/999', {})).status, 404);
  const admin = async (body: object) =>
    await api.send('admin', 'PATCH', `/api/v1/notification-rules/${made.body.id}`, body);
  assert.partialDeepStrictEqual(await admin({ channels: ['ops'] }), { status: 200, body: { person: 'ann' } });
  assert.equal((await admin({ channels: ['none'] })).status, 404);
  assert.equal((await admin({ project: 'none' })).status, 404);
  const others = await api.send('admin', 'POST', '/api/v1/notification-rules', { kinds: ['task.failed'] });
  assert.equal((await ann('PATCH', `/own-notification-rules/${others.body.id}`, {})).status, 404);
});

test('a person sets how to be told, and tries it', async () => {
  await using server = await mailServer({ tls: 'none' });
  const email = { host: 'localhost', port: server.port, tls: 'none', from: 'autocode@example.com' };
  await using api = await testApi(flags('email', email));
  const ann = await person(api, 'ann');
  const usual = {
    address: null,
    addressByProvider: false,
    addressConfirmed: false,
    letterAt: null,
    email: false,
    digest: 'off',
    digestAt: '08:00',
    quietHours: null,
    timeZone: 'UTC',
    emailOffered: true,
    pushOffered: false,
  };
  const path = '/own-notification-settings';
  assert.deepEqual((await ann('GET', path)).body, usual);
  assert.partialDeepStrictEqual(await ann('PATCH', path, { email: true }), {
    status: 409,
    body: { error: { code: 'ERR_STATE' } },
  });
  for (const wrong of [
    { address: 'ann@example.org\r\nBcc: eve@example.org' },
    { timeZone: 'Mars/Olympus' },
    { quietHours: { from: '22:00', to: '22:00' } },
    { digestAt: '24:00' },
    { other: true },
  ])
    assert.equal((await ann('PATCH', path, wrong)).status, 400, JSON.stringify(wrong));
  const wanted = { address: 'ann@example.org', email: true, quietHours: { from: '22:00', to: '07:00' } };
  assert.deepEqual((await ann('PATCH', path, wanted)).body, { ...usual, ...wanted });
  const zone = { timeZone: 'Europe/Berlin', digest: 'daily', digestAt: '09:30' };
  assert.deepEqual((await ann('PATCH', path, zone)).body, { ...usual, ...wanted, ...zone });
  const trial = async () => (await ann('POST', '/own-notification-tests')).body;
  assert.partialDeepStrictEqual(await trial(), [
    { state: 'failed', trouble: 'The address is not confirmed yet.' },
  ]);
  await api.send('admin', 'PATCH', '/api/v1/people/ann', { email: 'ann@example.org' });
  assert.partialDeepStrictEqual((await ann('GET', path)).body, { addressConfirmed: true, letterAt: null });
  assert.partialDeepStrictEqual(await trial(), [
    { channel: 'email', person: 'ann', kind: 'test', state: 'sent', trouble: null },
  ]);
  assert.match(server.received[0]!.raw, /^Subject: A test of your notifications\r$/m);
  const seen = await api.send('operator', 'GET', '/api/v1/notification-deliveries?channel=email');
  assert.equal(seen.body.length, 2);
  for (const wrong of ['ann', 'ann@-', `${'a'.repeat(65)}@example.org`, `ann@${'b'.repeat(64)}.org`])
    assert.equal(
      (await api.send('admin', 'PATCH', '/api/v1/people/ann', { email: wrong })).status,
      400,
      wrong,
    );
  await api.send('admin', 'PATCH', '/api/v1/people/ann', { email: null });
  assert.partialDeepStrictEqual((await ann('GET', path)).body, { address: null, email: false });
  assert.deepEqual((await ann('POST', '/own-notification-tests')).body, []);
  assert.equal((await api.send('admin', 'GET', `/api/v1${path}`)).body.error.code, 'ERR_STATE');
});

test('an address that a person sets is confirmed by the code of a letter: once, by this person, while it is the address', async () => {
  await using server = await mailServer({ tls: 'none' });
  const email = { host: 'localhost', port: server.port, tls: 'none', from: 'autocode@example.com' };
  await using api = await testApi([...flags('email', email), 'api.publicUrl=https://ac.example/']);
  const [ann, bob] = [await person(api, 'ann'), await person(api, 'bob')];
  const path = '/own-notification-settings';
  const set = async (address: string | null) => (await ann('PATCH', path, { address })).body;
  const letter = async () => await ann('POST', '/own-email-letters');
  const confirm = async (code: string, as = ann) =>
    (await as('POST', '/own-email-confirmations', { code })).status;
  const codeOf = (place: number) => {
    const raw = server.received[place]!.raw.replaceAll('=\r\n', '').replaceAll('=3D', '=');
    assert.match(raw, /^Subject: Confirm this address for Autocode\r$/m);
    assert.match(raw, /ann wants notifications to be sent here/);
    return /https:\/\/ac\.example\/inbox\?view=ways#confirm=([\w-]{43})\r/.exec(raw)![1]!;
  };
  assert.partialDeepStrictEqual(await letter(), { status: 409, body: { error: { code: 'ERR_STATE' } } });
  await set('ann@example.org');
  server.recipients.push(550);
  assert.partialDeepStrictEqual((await letter()).body, { state: 'failed', kind: 'email.confirmation' });
  assert.partialDeepStrictEqual((await ann('GET', path)).body, { addressConfirmed: false, letterAt: null });
  await letter();
  assert.equal((await letter()).body.state, 'sent');
  assert.ok((await ann('GET', path)).body.letterAt);
  assert.equal(await confirm(codeOf(0)), 404, 'a newer one was sent');
  assert.equal(await confirm(codeOf(1), bob), 404, 'it is not his');
  assert.equal(await confirm('\ud800\u0000'), 400);
  await set('other@example.org');
  assert.equal(await confirm(codeOf(1)), 404, 'it went to another address');
  await set('ann@example.org');
  await api.db.pool.query(`update email_letter set expires_at = now()`);
  assert.equal(await confirm(codeOf(1)), 404, 'it is past its time');
  await letter();
  assert.equal(await confirm(codeOf(2)), 200);
  assert.equal(await confirm(codeOf(2)), 404, 'it is used');
  assert.equal((await set('ann@example.org')).addressConfirmed, true, 'it is the same');
  assert.equal((await letter()).body.error.code, 'ERR_STATE');
  assert.equal((await set('ann@example.com')).addressConfirmed, false);
  await letter();
  const many = await letter();
  assert.partialDeepStrictEqual(many, { status: 429, body: { error: { code: 'ERR_RATE_LIMITED' } } });
  assert.equal(many.headers['retry-after'], String(many.body.error.details.seconds));
  assert.equal(await confirm(codeOf(3)), 200, 'the last one holds');
  await set('ann@example.net');
  await api.db.pool.query(`update email_letter set counted_from = counted_from - interval '1 hour'`);
  assert.equal((await letter()).body.state, 'sent');
  const { rows } = await api.db.pool.query(`select body from notification_delivery where body <> ''`);
  assert.deepEqual(rows, [], 'no code is kept');
  const shown = await api.send('admin', 'GET', '/api/v1/people/ann');
  assert.partialDeepStrictEqual(shown.body, { email: 'ann@example.net', emailConfirmed: false });
});

test('browsers are subscribed where that is on, at allowed push services, and belong to their person', async () => {
  await using off = await testApi();
  const nobody = await person(off, 'ann');
  const { keys } = testBrowser();
  const input = { endpoint: 'https://push.example.com/a', keys, label: 'Firefox' };
  assert.deepEqual((await nobody('GET', '/push-key')).body, { key: null });
  assert.equal((await nobody('POST', '/push-subscriptions', input)).body.error.code, 'ERR_STATE');

  const push = { enabled: true, subject: 'mailto:ops@example.com', hosts: ['push.example.com'] };
  await using api = await testApi(flags('push', push));
  const [ann, bob] = [await person(api, 'ann'), await person(api, 'bob')];
  const { key } = (await ann('GET', '/push-key')).body;
  assert.equal(Buffer.from(key, 'base64url').length, 65);
  assert.equal((await bob('GET', '/push-key')).body.key, key);
  assert.equal((await ann('GET', '/own-notification-settings')).body.pushOffered, true);
  const add = async (as: typeof ann, more: object = {}) =>
    await as('POST', '/push-subscriptions', { ...input, ...more });
  const made = await add(ann);
  assert.partialDeepStrictEqual(made, { status: 201, body: { label: 'Firefox', endpoint: input.endpoint } });
  assert.equal((await add(ann, { label: 'at home' })).body.id, made.body.id);
  const point = `B${randomBytes(64).toString('base64url')}`;
  for (const more of [
    { endpoint: 'https://evil.example/a' },
    { endpoint: 'http://push.example.com/a' },
    { endpoint: 'https://push.example.com/b', keys: { ...keys, p256dh: point } },
    { keys: { ...keys, auth: 'short' } },
    { label: ' ' },
  ])
    assert.equal((await add(ann, more)).status, 400, JSON.stringify(more));
  // Another person at the same browser has its keys; who only knows its address has not.
  const foreign = createECDH('prime256v1');
  foreign.generateKeys();
  const guessed = { keys: { ...keys, p256dh: foreign.getPublicKey('base64url') } };
  assert.equal((await add(bob, guessed)).status, 409);
  assert.equal((await bob('DELETE', `/push-subscriptions/${made.body.id}`)).status, 404);
  assert.equal((await add(bob)).status, 201);
  assert.deepEqual((await ann('GET', '/push-subscriptions')).body, []);
  assert.equal((await bob('GET', '/push-subscriptions')).body.length, 1);
  assert.equal((await bob('DELETE', `/push-subscriptions/${made.body.id}`)).status, 204);
  for (let n = 0; n < 20; n++)
    assert.equal((await add(ann, { endpoint: `https://push.example.com/${n}` })).status, 201);
  assert.equal((await add(ann)).status, 409);
});
