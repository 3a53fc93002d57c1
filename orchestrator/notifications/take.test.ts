import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { EventKind } from '../../protocol/event.ts';
import type { NotificationKind } from '../../protocol/notification.ts';
import type { Database } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { createPerson, updatePerson } from '../people/people.ts';
import { aProject, aTask } from '../tasks/testing/work.ts';
import { forgetNotifications, markRead, readInbox } from './inbox.ts';
import { addRule, removeRule } from './rules.ts';
import { takeAll } from './testing.ts';

const FAILED = { kind: 'task.state', data: { from: 'running', to: 'failed', reason: 'no model' } } as const;

async function rule(
  db: Database,
  kinds: NotificationKind[],
  {
    person = null as number | null,
    project = null as string | null,
    channels = [] as string[],
    ownTasks = false,
  } = {},
) {
  return await addRule(db, { person, project, kinds, channels, ownTasks }, 'me');
}

async function inboxOf(db: Database, person: number | null = null) {
  const reader = { person, projects: undefined };
  return (await readInbox(db, reader, { unread: false, limit: 100 })).notifications;
}

async function titles(db: Database, person: number | null = null, projects?: number[]): Promise<string[]> {
  const inbox = await readInbox(db, { person, projects }, { unread: false, limit: 100 });
  return inbox.notifications.map(({ title }) => title).toReversed();
}

test('an event that a rule names is told once, with the words of its task; what was before the first rule is not', async () => {
  await using db = await testDatabase();
  const { id: project } = await aProject(db.pool);
  await aTask(db.pool, 'p', { title: 'Fix\u202e the\ndate test' });
  await emit(db.pool, { ...FAILED, project, task: 1 });
  await takeAll(db.pool);
  await rule(db.pool, ['task.failed'], { channels: ['ops'] });
  await rule(db.pool, ['task.failed', 'task.approval'], { channels: ['ops', 'hook'] });
  await emit(db.pool, { ...FAILED, project, task: 1 });
  await emit(db.pool, { kind: 'task.state', project, task: 1, data: { to: 'queued' } });
  await takeAll(db.pool);
  await takeAll(db.pool);
  const inbox = await readInbox(db.pool, { person: null, projects: undefined }, { unread: true, limit: 10 });
  assert.equal(inbox.unread, 1);
  assert.partialDeepStrictEqual(inbox.notifications, [
    {
      kind: 'task.failed',
      project: 'p',
      task: 1,
      title: 'Failed: Fix the date test',
      body: 'project p, task 1\nno model',
      path: '/tasks/1',
    },
  ]);
  const { rows } = await db.pool.query('select channel, state from notification_delivery order by channel');
  assert.deepEqual(rows, [
    { channel: 'hook', state: 'waiting' },
    { channel: 'ops', state: 'waiting' },
  ]);
  const { rows: told } = await db.pool.query(
    `select project, task, data from event where kind = 'notification.told'`,
  );
  assert.deepEqual(told, [{ project, task: 1, data: { kind: 'task.failed' } }]);
});

test('a reading that is interrupted leaves nothing half told', async () => {
  await using db = await testDatabase();
  const { id: project } = await aProject(db.pool);
  await rule(db.pool, ['task.failed']);
  await aTask(db.pool);
  await emit(db.pool, { ...FAILED, project, task: 1 });
  await db.pool
    .query(`create function broken() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
    create trigger broken before update on notification_cursor execute function broken()`);
  await assert.rejects(takeAll(db.pool));
  assert.deepEqual(await titles(db.pool), []);
  await db.pool.query('drop trigger broken on notification_cursor');
  await takeAll(db.pool);
  assert.deepEqual(await titles(db.pool), ['Failed: do it']);
});

test('people are told of their projects, of what is of none with a role in all, and nothing once disabled', async () => {
  await using db = await testDatabase();
  const [shop, vault] = [await aProject(db.pool, 'shop'), await aProject(db.pool, 'vault')];
  await aTask(db.pool, 'shop', { title: 'in shop' });
  await aTask(db.pool, 'vault', { title: 'in vault' });
  const ann = await createPerson(db.pool, { name: 'ann', role: null, projects: { shop: 'viewer' } }, 'me');
  const bob = await createPerson(db.pool, { name: 'bob', role: 'viewer', projects: {} }, 'me');
  for (const { id } of [ann, bob]) await rule(db.pool, ['task.failed', 'budget.reached'], { person: id });
  const happen = async () => {
    await emit(db.pool, { ...FAILED, project: shop.id, task: 1 });
    await emit(db.pool, { ...FAILED, project: vault.id, task: 2 });
    await emit(db.pool, {
      kind: 'budget.reached',
      data: { level: 80, scope: 'project', subject: 'vault', period: 'day' },
    });
    await takeAll(db.pool);
  };
  await happen();
  assert.deepEqual(await titles(db.pool, ann.id), ['Failed: in shop']);
  assert.deepEqual(await titles(db.pool, bob.id), [
    'Failed: in shop',
    'Failed: in vault',
    '80 % of a budget are spent: project vault',
  ]);
  assert.deepEqual(await titles(db.pool, bob.id, [vault.id]), ['Failed: in vault']);
  await updatePerson(db.pool, 'bob', { disabled: true }, 'me');
  await happen();
  assert.equal((await titles(db.pool, bob.id)).length, 3);
  assert.deepEqual(await titles(db.pool, ann.id), ['Failed: in shop']);
  assert.equal((await inboxOf(db.pool, ann.id))[0]!.count, 2);
});

test('what forges say of a change is told at each turn and once, and by a rule of own tasks to who gave it alone', async () => {
  await using db = await testDatabase();
  const { id: project } = await aProject(db.pool);
  const [ann, bob] = await Promise.all(
    ['ann', 'bob'].map(async (name) => createPerson(db.pool, { name, role: 'viewer', projects: {} }, 'me')),
  );
  for (const title of ['of ann', 'of nobody']) await aTask(db.pool, 'p', { title });
  await db.pool.query(`update task set created_by = case id when 1 then 'ann' else 'nightly' end`);
  const kinds: NotificationKind[] = [
    'change.approved',
    'change.changes-requested',
    'change.conflict',
    'change.stuck',
  ];
  for (const { id: person } of [ann!, bob!]) await rule(db.pool, kinds, { person, ownTasks: true });
  await rule(db.pool, kinds, { project: 'p' });
  const say = async (kind: EventKind, task: number, data: object) =>
    await emit(db.pool, { kind, project, task, data: { change: task, ...data } });
  for (const task of [1, 2]) {
    for (const [by, review] of [
      ['zoe', 'approved'],
      ['yan', 'commented'],
      ['yan', 'changes-requested'],
      ['yan', 'none'],
    ])
      await say('change.reviewed', task, { by, review });
    for (const [was, mergeable] of [
      ['unknown', 'yes'],
      ['yes', 'conflicts'],
      ['conflicts', 'conflicts'],
      ['conflicts', 'yes'],
    ])
      await say('change.mergeable', task, { was, mergeable, reason: 'README.md', draft: false });
    for (const to of ['rebased', 'left'])
      await say('change.followed', task, { below: 9, to, reason: 'It is away.' });
  }
  await takeAll(db.pool);
  const of = (title: string) => [
    `Approved by zoe: ${title}`,
    `Changes requested by yan: ${title}`,
    `In conflict: ${title}`,
    `Cannot follow: ${title}`,
  ];
  assert.deepEqual(await titles(db.pool, ann!.id), of('of ann'));
  assert.deepEqual(await titles(db.pool, bob!.id), []);
  assert.deepEqual(await titles(db.pool), [...of('of ann'), ...of('of nobody')]);
  const [stuck, conflict] = await inboxOf(db.pool, ann!.id);
  assert.partialDeepStrictEqual(conflict, { body: 'project p, task 1\nREADME.md', path: '/changes/1' });
  assert.partialDeepStrictEqual(stuck, { body: 'project p, task 1\nIt is away.', path: '/changes/1' });
  await assert.rejects(rule(db.pool, kinds, { ownTasks: true }), { code: 'ERR_INVALID_INPUT' });
});

test('each kind has its words', async () => {
  await using db = await testDatabase();
  const { id: project } = await aProject(db.pool);
  await aTask(db.pool);
  const of = { project, task: 1 };
  await rule(db.pool, [
    'change.ready',
    'task.approval',
    'incident.opened',
    'incident.needs-person',
    'egress.anomaly',
    'secret.misused',
    'intake.approval',
    'intake.failed',
  ]);
  await emit(db.pool, { kind: 'change.opened', ...of, data: { change: 4, updated: false } });
  await emit(db.pool, { kind: 'change.opened', ...of, data: { change: 4, updated: true } });
  await emit(db.pool, { kind: 'task.state', ...of, data: { to: 'pending', pendingReason: 'approval' } });
  await emit(db.pool, { kind: 'task.state', ...of, data: { to: 'pending', pendingReason: 'retry' } });
  await emit(db.pool, { kind: 'incident.opened', ...of, data: { incident: 3 } });
  await emit(db.pool, { kind: 'incident.needs-person', ...of, data: { incident: 3, reason: 'no run' } });
  await emit(db.pool, {
    kind: 'egress.anomaly',
    project,
    data: { anomaly: 'first-seen-host', host: 'x.org' },
  });
  await emit(db.pool, { kind: 'secret.misused', ...of, run: '1-1', data: { host: 'x.org' } });
  await emit(db.pool, { kind: 'intake.quarantined', data: { source: 'web', reason: 'odd' } });
  await emit(db.pool, { kind: 'intake.failed', data: { source: 'web', reason: 'odd' } });
  await takeAll(db.pool);
  assert.deepEqual(await titles(db.pool), [
    'Ready for review: do it',
    'Waits for approval: do it',
    'Incident 3 opened: do it',
    'Incident 3 needs a person: do it',
    'A host was asked for the first time: x.org',
    'A secret was misused by run 1-1',
    'Work from web waits for a person',
    'A delivery from web was given up',
  ]);
});

test('the inbox is read up to a place, in pages; the old is forgotten; a removed rule tells nothing more', async () => {
  await using db = await testDatabase();
  const { id: project } = await aProject(db.pool);
  await aTask(db.pool);
  const { id } = await rule(db.pool, ['task.failed'], { project: 'p' });
  for (let n = 1; n <= 3; n++) {
    if (n > 1) await aTask(db.pool);
    await emit(db.pool, { ...FAILED, project, task: n });
  }
  await takeAll(db.pool);
  const reader = { person: null, projects: undefined };
  const { notifications } = await readInbox(db.pool, reader, { unread: false, limit: 2 });
  const [newest, second] = notifications;
  assert.equal(await markRead(db.pool, reader, { upTo: second!.id }), 2);
  const unread = await readInbox(db.pool, reader, { unread: true, limit: 10 });
  assert.equal(unread.unread, 1);
  assert.deepEqual(
    unread.notifications.map((each) => each.id),
    [newest!.id],
  );
  const ofKind = async (kind: NotificationKind) =>
    await readInbox(db.pool, reader, { unread: false, kind, project: 'p', limit: 10 });
  assert.equal((await ofKind('task.failed')).notifications.length, 3);
  assert.deepEqual(await ofKind('change.ready'), { unread: 1, notifications: [] });
  assert.equal(await markRead(db.pool, reader, { only: [newest!.id, second!.id] }), 1);
  const older = await readInbox(db.pool, reader, { unread: false, before: second!.id, limit: 10 });
  assert.equal(older.notifications.length, 1);
  await removeRule(db.pool, id);
  await assert.rejects(removeRule(db.pool, id), { code: 'ERR_NOT_FOUND' });
  await emit(db.pool, { ...FAILED, project, task: 1 });
  await takeAll(db.pool);
  assert.equal((await titles(db.pool)).length, 3);
  await db.pool.query(`update notification set at = now() - interval '91 d' where id < $1`, [newest!.id]);
  assert.equal(await forgetNotifications(db.pool, 90), 2);
});
