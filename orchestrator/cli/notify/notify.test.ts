import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Inbox, NotificationDelivery, NotificationRule } from '../../../protocol/notification.ts';
import type { OwnNotificationSettings } from '../../../protocol/notification-ways.ts';
import { fakeApi, runCli } from '../testing/run-cli.ts';

const AT = '2026-11-20T10:00:00.000Z';
const INBOX: Inbox = {
  unread: 1,
  notifications: [
    {
      id: 41,
      kind: 'task.failed',
      project: 'shop',
      task: 7,
      title: 'Failed: Fix \u001b[31mit',
      body: '',
      path: '/tasks/7',
      count: 1,
      firstAt: AT,
      at: AT,
      readAt: null,
    },
  ],
};
const RULE: NotificationRule = {
  id: 3,
  person: null,
  project: null,
  kinds: ['task.failed'],
  channels: ['ops'],
  ownTasks: false,
  createdBy: 'local',
  createdAt: AT,
};
const DELIVERY: NotificationDelivery = {
  id: 9,
  channel: 'ops',
  person: null,
  message: 'e0f5',
  kind: 'test',
  title: 'A test',
  state: 'failed',
  count: 1,
  digest: null,
  tries: 1,
  retryAt: null,
  trouble: 'It answered 500.',
  createdAt: AT,
  endedAt: AT,
};

const run = async (url: string, ...words: string[]) =>
  await runCli(['notify', ...words], { env: { AUTOCODE_URL: url } });

test('notify list shows the inbox without control characters, and read marks it', async () => {
  await using api = await fakeApi({
    'GET /notifications': { body: INBOX },
    'POST /notifications/read': { body: { read: 4 } },
  });
  const { stdout } = await run(api.url, 'list', '--unread');
  assert.match(stdout, /41 .* new +shop +task\.failed +Failed: Fix .*it\n\n1 unread\./);
  assert.doesNotMatch(stdout, /\u001b/);
  assert.match(api.requests[0]!.line, /unread=true&limit=50/);
  assert.equal((await run(api.url, 'read', '41')).stdout, '4 more are read.\n');
  assert.deepEqual(api.requests[1]!.body, { upTo: 41 });
});

test('notify subscribe makes a rule of the installation, of a person, or an own one', async () => {
  await using api = await fakeApi({
    'POST /notification-rules': { status: 201, body: RULE },
    'POST /own-notification-rules': { status: 201, body: { ...RULE, person: 'ann' } },
    'GET /notification-rules': { body: [RULE] },
    'PATCH /notification-rules/3': { body: RULE },
    'DELETE /notification-rules/3': { status: 200, body: null },
  });
  const { stdout } = await run(api.url, 'subscribe', 'task.failed', 'intake.failed', '--channel', 'ops');
  assert.equal(stdout, 'Rule 3: task.failed of all projects to the inbox of the installation, ops.\n');
  await run(api.url, 'subscribe', 'task.failed', '--own', '--project', 'shop');
  assert.deepEqual(
    api.requests.map(({ body }) => body),
    [
      { kinds: ['task.failed', 'intake.failed'], project: null, channels: ['ops'], person: null },
      { kinds: ['task.failed'], project: 'shop', channels: [] },
    ],
  );
  await run(api.url, 'change', '3', '--kind', 'task.failed', '--all-projects', '--inbox-only', '--own-tasks');
  const changed = { kinds: ['task.failed'], project: null, channels: [], ownTasks: true };
  assert.deepEqual(api.requests.at(-1)!.body, changed);
  assert.equal((await run(api.url, 'change', '3')).code, 2);
  assert.match((await run(api.url, 'rules')).stdout, /3 +installation +all +all +ops +task\.failed/);
  assert.equal((await run(api.url, 'unsubscribe', '3')).stdout, 'Rule 3 is removed.\n');
  assert.equal((await run(api.url, 'subscribe', 'nonsense')).code, 2);
});

test('notify test ends with 1 where the channel did not take it; deliveries say why', async () => {
  await using api = await fakeApi({
    'POST /notification-channels/ops/tests': { body: DELIVERY },
    'POST /notification-channels/hook/tests': { body: { ...DELIVERY, channel: 'hook', state: 'sent' } },
    'POST /own-notification-tests': {
      body: [
        { ...DELIVERY, channel: 'email', person: 'ann', state: 'sent' },
        { ...DELIVERY, channel: 'push', person: 'ann' },
      ],
    },
    'GET /notification-deliveries': { body: [DELIVERY] },
    'GET /notification-channels': { body: [{ name: 'ops', kind: 'slack', forPeople: true }] },
  });
  const failed = await run(api.url, 'test', 'ops');
  assert.deepEqual([failed.code, failed.stdout], [1, 'The channel ops did not take it. It answered 500.\n']);
  assert.equal((await run(api.url, 'test', 'hook')).code, 0);
  const own = await run(api.url, 'test', '--own');
  assert.deepEqual(
    [own.code, own.stdout],
    [1, 'The email of ann took it, as e0f5.\nA browser of ann did not take it. It answered 500.\n'],
  );
  assert.equal((await run(api.url, 'test')).code, 2);
  assert.match(
    (await run(api.url, 'deliveries', '--state', 'failed')).stdout,
    /9 +ops +failed .*It answered 500/,
  );
  assert.match((await run(api.url, 'channels')).stdout, /ops +slack +everybody/);
});

test('notify settings shows how a person is told, and changes what is given', async () => {
  const settings: OwnNotificationSettings = {
    address: 'ann@example.org',
    addressByProvider: true,
    addressConfirmed: true,
    letterAt: null,
    email: true,
    digest: 'daily',
    digestAt: '09:00',
    quietHours: { from: '22:00', to: '07:00' },
    timeZone: 'Europe/Berlin',
    emailOffered: true,
    pushOffered: false,
  };
  await using api = await fakeApi({
    'GET /own-notification-settings': { body: settings },
    'PATCH /own-notification-settings': {
      body: { ...settings, quietHours: null, addressByProvider: false, addressConfirmed: false },
    },
    'POST /own-email-letters': { body: { ...DELIVERY, state: 'sent', trouble: null } },
    'POST /own-email-confirmations': { body: settings },
  });
  assert.equal(
    (await run(api.url, 'settings')).stdout,
    'email: on (ann@example.org, as the provider says)\nbrowsers: this installation sends to none\n' +
      'digest: daily at 09:00\nquiet hours: 22:00 to 07:00\ntime zone: Europe/Berlin\n',
  );
  const change = ['--quiet', '22:00-07:00', '--no-email', '--address', 'none', '--digest', 'hourly'];
  assert.match((await run(api.url, 'settings', ...change)).stdout, /quiet hours: none/);
  assert.deepEqual(api.requests.at(-1)!.body, {
    email: false,
    address: null,
    digest: 'hourly',
    quietHours: { from: '22:00', to: '07:00' },
  });
  assert.equal((await run(api.url, 'settings', '--quiet', 'night')).code, 2);
  const set = await run(api.url, 'settings', '--address', 'ann@example.org');
  assert.match(
    set.stdout,
    /not confirmed: nothing is sent to it; `autocode notify confirm` sends a letter\)/,
  );
  assert.match(
    set.stdout,
    /A letter with a code is on its way to ann@example\.org: `autocode notify confirm CODE`/,
  );
  assert.match((await run(api.url, 'confirm', 'abc')).stdout, /^ann@example\.org is confirmed\./);
  assert.deepEqual(api.requests.at(-1)!.body, { code: 'abc' });
});
