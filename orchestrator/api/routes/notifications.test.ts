// Notifications by the API: rules of admins and of people, inboxes, the test of a channel.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createToken } from '../../access/tokens.ts';
import { emit } from '../../events/outbox.ts';
import { receiver, takeAll } from '../../notifications/testing.ts';
import { fileSecrets } from '../../secrets/file.ts';
import { aProject, aTask } from '../../tasks/testing/work.ts';
import { testApi, type TestApi } from '../testing.ts';

const channels = (url: string) =>
  `notifications.channels=${JSON.stringify([
    { name: 'ops', kind: 'slack', secret: 'slack-url' },
    { name: 'team', kind: 'webhook', url, forPeople: true },
  ])}`;

async function ann(api: TestApi) {
  const { body } = await api.send('admin', 'POST', '/api/v1/people', {
    name: 'ann',
    projects: { shop: 'viewer' },
  });
  const { token } = await createToken(api.db.pool, { name: 'ann', role: 'viewer', person: body.person.id });
  return async (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) =>
    await api.send(null, method, `/api/v1${url}`, payload, { authorization: `Bearer ${token}` });
}

test('people make rules of their own, for their projects and the channels that are for them', async () => {
  await using api = await testApi([channels('http://127.0.0.1:1/')]);
  const { pool } = api.db;
  const { id: shop } = await aProject(pool, 'shop');
  await aProject(pool, 'vault');
  await aTask(pool, 'shop');
  const own = await ann(api);
  const kinds = ['task.failed'];
  assert.equal((await own('POST', '/own-notification-rules', { kinds, project: 'vault' })).status, 404);
  assert.equal((await own('POST', '/own-notification-rules', { kinds, project: 'none' })).status, 404);
  assert.equal((await own('POST', '/own-notification-rules', { kinds, channels: ['ops'] })).status, 403);
  assert.equal((await own('POST', '/own-notification-rules', { kinds: ['nonsense'] })).status, 400);
  assert.equal((await own('POST', '/notification-rules', { kinds })).status, 403);
  const made = await own('POST', '/own-notification-rules', { kinds, channels: ['team'] });
  assert.partialDeepStrictEqual(made, {
    status: 201,
    body: { person: 'ann', project: null, createdBy: 'ann' },
  });
  await api.send('admin', 'POST', '/api/v1/notification-rules', { kinds: ['intake.failed'] });
  await emit(pool, { kind: 'task.state', project: shop, task: 1, data: { to: 'failed' } });
  await emit(pool, { kind: 'intake.failed', data: { source: 'web', reason: 'odd' } });
  await takeAll(pool);
  const inbox = (await own('GET', '/notifications')).body;
  assert.partialDeepStrictEqual(inbox, { unread: 1, notifications: [{ project: 'shop', readAt: null }] });
  const installation = (await api.send('viewer', 'GET', '/api/v1/notifications?unread=true')).body;
  assert.partialDeepStrictEqual(installation, { unread: 1, notifications: [{ kind: 'intake.failed' }] });
  const upTo = inbox.notifications[0].id + 1;
  assert.deepEqual((await own('POST', '/notifications/read', { upTo })).body, { read: 1 });
  assert.equal((await own('GET', '/notifications')).body.unread, 0);
  assert.equal((await api.send('viewer', 'GET', '/api/v1/notifications')).body.unread, 1);

  const [, others] = (await api.send('admin', 'GET', '/api/v1/notification-rules')).body;
  assert.equal((await own('DELETE', `/own-notification-rules/${others.id}`)).status, 404);
  assert.equal((await own('DELETE', `/own-notification-rules/${made.body.id}`)).status, 204);
  assert.deepEqual((await own('GET', '/own-notification-rules')).body, []);
});

test('admins make rules for people and the installation; a token of nobody has none of its own', async () => {
  await using api = await testApi([channels('http://127.0.0.1:1/')]);
  await aProject(api.db.pool, 'shop');
  await ann(api);
  const post = async (body: object) => await api.send('admin', 'POST', '/api/v1/notification-rules', body);
  const kinds = ['task.failed'];
  assert.partialDeepStrictEqual(await post({ kinds, person: 'ann', project: 'shop', channels: ['ops'] }), {
    status: 201,
    body: { person: 'ann', project: 'shop', channels: ['ops'] },
  });
  assert.equal((await post({ kinds, person: 'bob' })).status, 404);
  assert.equal((await post({ kinds, project: 'none' })).status, 404);
  assert.equal((await post({ kinds, channels: ['none'] })).status, 404);
  const own = await api.send('admin', 'POST', '/api/v1/own-notification-rules', { kinds });
  assert.partialDeepStrictEqual(own, { status: 409, body: { error: { code: 'ERR_STATE' } } });
  const { id } = (await api.send('admin', 'GET', '/api/v1/notification-rules')).body[0];
  assert.equal((await api.send('admin', 'DELETE', `/api/v1/notification-rules/${id}`)).status, 204);
  assert.equal((await api.send('admin', 'DELETE', `/api/v1/notification-rules/${id}`)).status, 404);
});

test('the test of a channel says how it went, and stands in the log of deliveries', async () => {
  await using far = await receiver();
  await using api = await testApi([channels(`${far.url}/hook`)]);
  const send = async (name: string) =>
    await api.send('admin', 'POST', `/api/v1/notification-channels/${name}/tests`);
  assert.equal((await send('none')).status, 404);
  const missing = await send('ops');
  assert.equal(missing.body.state, 'failed');
  assert.match(missing.body.trouble, /There is no secret named slack-url/);
  const secrets = fileSecrets(`${api.directory}/secrets`);
  await secrets.put('slack-url', `${far.url}/services/x`);
  await secrets.put('notify-team', Buffer.alloc(32, 1).toString('base64'));
  assert.partialDeepStrictEqual((await send('ops')).body, { state: 'sent', tries: 1, trouble: null });
  far.answers.push((response) => response.writeHead(500).end());
  assert.partialDeepStrictEqual((await send('team')).body, { state: 'failed', trouble: 'It answered 500.' });
  assert.deepEqual(
    far.received.map(({ path }) => path),
    ['/services/x', '/hook'],
  );
  const list = async (query: string) =>
    (await api.send('operator', 'GET', `/api/v1/notification-deliveries${query}`)).body;
  assert.equal((await list('')).length, 3);
  assert.partialDeepStrictEqual(await list('?state=failed&channel=team'), [{ kind: 'test', retryAt: null }]);
  assert.deepEqual((await api.send('viewer', 'GET', '/api/v1/notification-channels')).body, [
    { name: 'ops', kind: 'slack', forPeople: false },
    { name: 'team', kind: 'webhook', forPeople: true },
  ]);
});
