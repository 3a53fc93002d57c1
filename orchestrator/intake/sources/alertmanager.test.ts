// Alertmanager's webhook: who is believed, and what a notification in the documented form says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Trust } from '../../../protocol/intake.ts';
import { takeHook } from '../hooks.ts';
import type { Source } from '../source.ts';
import { addSource } from '../sources.ts';
import { intakeRig } from '../testing.ts';
import { alertmanager } from './alertmanager.ts';

const body = readFileSync(path.join(import.meta.dirname, 'fixtures/alertmanager.json'));
const secret = async () => await Promise.resolve('correct-horse');

function sourceWith(settings: object = {}): Source<never> {
  const read = alertmanager.settings.parse(settings);
  return {
    name: 'prometheus',
    kind: 'alertmanager',
    project: 'shop',
    trust: Trust.parse({}),
    settings: read as never,
  };
}
const parse = (bytes: Buffer, source = sourceWith()) =>
  alertmanager.parse(source, { delivery: 'd', event: 'notification', body: bytes });
const verify = async (headers: Record<string, string>, bytes: Buffer = body) =>
  await alertmanager.verify!(sourceWith(), { headers, body: bytes, now: new Date() }, secret);

test('the right token is believed, and nothing else is', async () => {
  const { delivery } = await verify({ authorization: 'Bearer correct-horse' });
  assert.match(delivery, /^[0-9a-f]{64}$/);
  assert.notEqual(
    (await verify({ authorization: 'bearer correct-horse' }, Buffer.from('{}'))).delivery,
    delivery,
  );
  for (const authorization of [
    '',
    'Bearer',
    'Bearer wrong',
    'Bearer correct-horse2',
    'Bearer Correct-horse',
    'Basic correct-horse',
    'correct-horse',
    'Bearer wrong, Bearer correct-horse',
    'Bearer correct-horse, Bearer wrong',
  ])
    await assert.rejects(verify({ authorization }), { code: 'ERR_UNAUTHENTICATED' }, authorization);
  await assert.rejects(verify({}), { code: 'ERR_UNAUTHENTICATED' });
});

test('a token with an empty secret is never believed', async () => {
  const empty = async () => await Promise.resolve('');
  const request = { headers: { authorization: 'Bearer x' }, body, now: new Date() };
  await assert.rejects(alertmanager.verify!(sourceWith(), request, empty), { code: 'ERR_UNAUTHENTICATED' });
});

test('each alert is an item of its own, by group, fingerprint and when it began', () => {
  const [firing, resolved] = parse(body);
  const group = '{}/{severity="critical"}:{alertname="ProbeFailure"}';
  assert.equal(firing?.key, `alert|${group}|1a30ba71cca2921f|2026-02-06T13:08:45.828Z|firing`);
  assert.equal(firing?.subject, 'alert|1a30ba71cca2921f');
  assert.equal(firing?.title, 'ProbeFailure: Probe failure: https://server.example.org');
  assert.match(
    firing?.text ?? '',
    /has been down.*\nrunbook_url: https:.*\nLabels: alertname: ProbeFailure, instance/s,
  );
  assert.equal(firing?.at?.toISOString(), '2026-02-06T13:08:45.828Z');
  assert.equal(resolved?.state, 'resolved');
  assert.equal(resolved?.at?.toISOString(), '2026-02-06T13:08:40.000Z');
});

test('labels say whose an alert is', () => {
  const source = sourceWith({
    projects: [
      { project: 'other', labels: { severity: 'critical', instance: 'https://other.example.org' } },
      { project: 'critical', labels: { severity: 'critical' } },
    ],
  });
  assert.deepEqual(
    parse(body, source).map(({ project }) => project),
    ['critical', 'other'],
  );
  assert.equal(parse(body)[0]?.project, undefined);
});

test('a label names the account, where the settings say which', () => {
  const accounts = (settings: object) => parse(body, sourceWith(settings)).map(({ account }) => account);
  assert.deepEqual(accounts({ accountLabel: 'instance' }), [
    'https://server.example.org',
    'https://other.example.org',
  ]);
  assert.deepEqual(accounts({ accountLabel: 'cluster' }), [undefined, undefined]);
  assert.deepEqual(accounts({}), [undefined, undefined]);
});

test('what is no notification is told apart', () => {
  for (const [text, message] of [
    ['x', /no JSON/],
    ['{"version":"3"}', /notification is not as it should be/],
    [
      JSON.stringify({ ...(JSON.parse(body.toString()) as object), alerts: [{ status: 'firing' }] }),
      /startsAt/,
    ],
  ] as const)
    assert.throws(() => parse(Buffer.from(text)), { message });
});

test('an alert is one task while it fires, however often it is told, and in whichever order', async () => {
  await using rig = await intakeRig();
  const { db } = rig.deps;
  await addSource(
    { db, secrets: rig.secrets },
    {
      name: 'prometheus',
      kind: 'alertmanager',
      project: 'shop',
      trust: Trust.parse({}),
      settings: {},
      secret: 'token',
    },
    'me',
  );
  const base = JSON.parse(body.toString()) as { alerts: object[] };
  const tell = async (alert: object, token = 'token') => {
    const bytes = Buffer.from(JSON.stringify({ ...base, alerts: [{ ...base.alerts[0], ...alert }] }));
    const request = { headers: { authorization: `Bearer ${token}` }, body: bytes, now: new Date() };
    await takeHook({ ...rig.deps, secrets: rig.secrets }, 'prometheus', request);
    await rig.work();
  };
  const at = (minute: number) => `2026-02-06T13:${String(minute).padStart(2, '0')}:00.000Z`;
  await tell({ status: 'firing', startsAt: at(10) });
  await tell({ status: 'firing', startsAt: at(10), annotations: { summary: 'still' } });
  await tell({ status: 'resolved', startsAt: at(10), endsAt: at(20) });
  await tell({ status: 'firing', startsAt: at(30) });
  await tell({ status: 'resolved', startsAt: at(10), endsAt: at(25) });
  await assert.rejects(tell({ status: 'firing', startsAt: at(40) }, 'other'), {
    code: 'ERR_UNAUTHENTICATED',
  });
  assert.deepEqual(await rig.verdicts(), ['created', 'duplicate', 'appended', 'appended', 'duplicate']);
  const { rows } = await db.query('select title, kind from task');
  assert.deepEqual(rows, [
    { title: 'ProbeFailure: Probe failure: https://server.example.org', kind: 'investigate' },
  ]);
  // The same bytes again are the same delivery.
  await tell({ status: 'firing', startsAt: at(30) });
  assert.equal((await rig.verdicts()).length, 5);
});
