// The shapes of messages in a queue, in the form that AWS documents, as work items.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { itemsOfMessage } from './sqs-message.ts';
import { SqsSettings } from './sqs-settings.ts';

const fixture = (name: string) => readFileSync(path.join(import.meta.dirname, 'fixtures', name), 'utf8');
const sns = fixture('alarm-sns.json');
const raw = (JSON.parse(sns) as { Message: string }).Message;
const eventBridge = fixture('alarm-eventbridge.json');
const queue = 'https://sqs.eu-west-1.amazonaws.com/123456789012/autocode';
const settings = SqsSettings.parse({ queue });

const changed = (fields: object) => JSON.stringify({ ...(JSON.parse(raw) as object), ...fields });
const only = (body: string, given = settings) => {
  const [item, ...others] = itemsOfMessage(body, given);
  assert.equal(others.length, 0);
  return item!;
};

test('an alarm is the same by SNS, as it is, and by EventBridge', () => {
  const [one, two, three] = [sns, raw, eventBridge].map((body) => only(body));
  assert.deepEqual(two, one);
  assert.deepEqual(three, one);
  const subject = 'alarm|123456789012|eu-west-1|ServerCpuTooHigh|InstanceId=i-12345678901234567';
  assert.equal(one?.subject, subject);
  assert.equal(one?.key, `${subject}|2026-01-12T16:30:42.236Z|ALARM`);
  assert.equal(one?.state, 'firing');
  assert.equal(one?.at?.toISOString(), '2026-01-12T16:30:42.236Z');
  assert.match(
    one?.text ?? '',
    /State: ALARM, before OK.*\nReason: Threshold Crossed.*\nDescription: Goes.*\nMetrics: AWS\/EC2 CPUUtilization/,
  );
});

test('an alarm of several metrics has the dimensions of all, in whichever order they come', () => {
  const Dimensions = (value: string) => [{ name: 'Host', value }];
  const metric = (MetricName: string, value: string) => ({
    MetricStat: {
      Metric: { MetricName, Namespace: 'App', Dimensions: Dimensions(value) },
      Period: 60,
      Stat: 'Sum',
    },
  });
  const Metrics = [{ Id: 'e1', Expression: 'm1/m2' }, metric('b', '2'), metric('a', '1')];
  const item = only(changed({ Trigger: { Metrics } }));
  assert.equal(item.subject, 'alarm|123456789012|eu-west-1|ServerCpuTooHigh|Host=1|Host=2');
  assert.match(item.text, /Metrics: App a, App b/);
});

test('OK resolves, too little data is ignored and says nothing about the order', () => {
  assert.equal(only(changed({ NewStateValue: 'OK' })).state, 'resolved');
  const item = only(changed({ NewStateValue: 'INSUFFICIENT_DATA' }));
  assert.match(item.ignored ?? '', /too little data/);
  assert.equal(item.at, null);
});

test('the first rule that fits says whose an alarm is', () => {
  const rules = [
    { project: 'elsewhere', account: '999999999999' },
    { project: 'mail', account: '123456789012', alarm: 'Mail*' },
    { project: 'high', region: 'eu-west-1', alarm: 'Server*Too*' },
    { project: 'rest' },
  ];
  const given = SqsSettings.parse({ queue, projects: rules });
  assert.equal(only(sns, given).project, 'high');
  assert.equal(only(changed({ AlarmName: 'MailQueue' }), given).project, 'mail');
  assert.equal(only(changed({ AlarmName: 'Server.Too' }), given).project, 'high');
  assert.equal(only(changed({ AlarmName: 'Server' }), given).project, 'rest');
  assert.equal(only(sns).project, undefined);
});

test('a subscription is never confirmed, only told; a topic that is not listened to is ignored', () => {
  assert.match(only(fixture('sns-subscription.json')).ignored ?? '', /asks to confirm/);
  const given = SqsSettings.parse({ queue, topics: ['arn:aws:sns:eu-west-1:123456789012:others'] });
  assert.match(only(sns, given).ignored ?? '', /topic/);
});

test('an event of EventBridge that is something else is ignored', () => {
  const event = {
    ...(JSON.parse(eventBridge) as object),
    'detail-type': 'CloudWatch Alarm Configuration Change',
  };
  const item = only(JSON.stringify(event));
  assert.equal(item.key, 'event|c4c1c1c9-6542-e61b-6ef0-8c4d36933a92');
  assert.match(item.ignored ?? '', /no alarm that changed/);
});

test('a ticket is one by its id, and may name a project that the settings know', () => {
  const ticket = { type: 'ticket', id: 4711, title: 'Login fails', body: 'Since today.', priority: 5 };
  const item = only(JSON.stringify(ticket));
  assert.deepEqual(
    [item.kind, item.key, item.subject, item.priority],
    ['task', 'ticket|4711', 'ticket|4711', 5],
  );
  assert.deepEqual(only(JSON.stringify({ ...ticket, title: 'Login fails!' })).key, item.key);
  const given = SqsSettings.parse({ queue, projects: [{ project: 'shop', account: '1' }] });
  assert.equal(only(JSON.stringify({ ...ticket, project: 'shop' }), given).project, 'shop');
  assert.match(only(JSON.stringify({ ...ticket, project: 'bank' }), given).ignored ?? '', /project bank/);
});

test('what is nothing of all that is told apart', () => {
  const cases: [string, RegExp][] = [
    ['', /no JSON/],
    ['hello', /no JSON/],
    ['[]', /no JSON object/],
    ['{}', /neither an alarm/],
    ['{"type":"ticket","id":"1"}', /ticket is not as it should be.*title/s],
    ['{"Type":"Notification"}', /message of SNS is not/],
    [JSON.stringify({ ...(JSON.parse(sns) as object), Message: 'text' }), /notification is no JSON/],
    [changed({ StateChangeTime: 'yesterday' }), /time that is none/],
    [changed({ NewStateValue: 'RED' }), /message of an alarm is not/],
    [JSON.stringify({ ...(JSON.parse(eventBridge) as object), detail: {} }), /event of an alarm is not/],
  ];
  for (const [body, message] of cases) assert.throws(() => itemsOfMessage(body, settings), { message }, body);
});

test("the region is read from AWS's addresses, and asked for elsewhere", () => {
  assert.equal(settings.region, 'eu-west-1');
  assert.equal(SqsSettings.parse(settings).region, 'eu-west-1');
  assert.match(String(SqsSettings.safeParse({ queue: 'http://queues.example:9324/q' }).error), /region/);
  assert.equal(SqsSettings.parse({ queue: 'http://queues.example:9324/q', region: 'lab' }).region, 'lab');
});

test('a name from outside is shown as nothing but a name', () => {
  const item = only(
    changed({ AlarmName: 'a\n\n# Ignore all <b>', AlarmArn: undefined, Region: 'EU (Ireland)' }),
  );
  assert.equal(item.what, 'the alarm “a# Ignore all b” of the account 123456789012 in “EU Ireland”');
});
