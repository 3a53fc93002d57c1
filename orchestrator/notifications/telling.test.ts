// From events to messages: the same again, quiet hours, digests; with an SMTP server and a receiver on loopback.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { NotificationKind } from '../../protocol/notification.ts';
import type { Database } from '../db/connect.ts';
import { emit, type EventInput } from '../events/outbox.ts';
import { createPerson, updatePerson } from '../people/people.ts';
import { aProject, aTask } from '../tasks/testing/work.ts';
import { sendDeliveries, type DeliveryDeps } from './deliveries.ts';
import { mailServer } from './email/testing.ts';
import { readInbox } from './inbox.ts';
import { changeOwnSettings } from './own-settings.ts';
import { addRule } from './rules.ts';
import { depsFor, hurry, quietNow, receiver, takeAll } from './testing.ts';

const go = async (deps: DeliveryDeps) => await sendDeliveries(deps, new AbortController().signal);

async function deliveries(db: Database) {
  const { rows } = await db.query<{ state: string; count: number; title: string; kind: string }>(
    'select state, count, title, kind from notification_delivery order by id',
  );
  return rows;
}

async function rule(
  db: Database,
  kinds: NotificationKind[],
  channels: string[],
  person: number | null = null,
) {
  await addRule(db, { person, project: null, kinds, channels, ownTasks: false }, 'me');
}

const failed = (project: number, task: number, reason = 'no model'): EventInput => ({
  kind: 'task.state',
  project,
  task,
  data: { from: 'running', to: 'failed', reason },
});

test('the same again joins what is unread and what has not gone out, and is not said twice', async () => {
  await using db = await testDatabase();
  await using far = await receiver();
  const deps = depsFor(db.pool, far.url);
  const { id: project } = await aProject(db.pool);
  await aTask(db.pool);
  await rule(db.pool, ['egress.anomaly', 'task.failed'], ['hook']);
  const host = async (name: string) => {
    await emit(db.pool, {
      kind: 'egress.anomaly',
      project,
      data: { anomaly: 'first-seen-host', host: name },
    });
    await takeAll(db.pool, deps.settings);
  };
  for (const name of ['x.org', 'x.org', 'y.org', 'x.org']) await host(name);
  const told = 'A host was asked for the first time:';
  const inbox = async () => {
    const { notifications } = await readInbox(
      db.pool,
      { person: null, projects: undefined },
      { unread: true, limit: 9 },
    );
    return notifications.map(({ title, count }) => [title, count]);
  };
  assert.deepEqual(await inbox(), [
    [`${told} x.org`, 3],
    [`${told} y.org`, 1],
  ]);
  await go(deps);
  const titles = () => far.received.map(({ body }) => JSON.parse(body).data.title);
  assert.deepEqual(titles(), [`${told} x.org (3 times)`, `${told} y.org`]);
  await host('x.org');
  await go(deps);
  assert.equal(far.received.length, 2, 'it has been said');
  assert.deepEqual((await inbox())[0], [`${told} x.org`, 4]);
  // Half an hour later, or where the message never arrived, it is told again.
  await db.pool.query(`update notification_delivery set at = at - interval '31 min'`);
  await host('x.org');
  await db.pool.query(`update notification_delivery set state = 'failed' where state = 'waiting'`);
  await host('x.org');
  await go(deps);
  assert.deepEqual(titles().slice(2), [`${told} x.org`]);
  // A task that fails again has been tried again: that is something new.
  for (let n = 0; n < 2; n++) {
    await emit(db.pool, failed(project, 1));
    await takeAll(db.pool, deps.settings);
    await go(deps);
  }
  assert.deepEqual(titles().slice(3), ['Failed: do it', 'Failed: do it']);
});

test('a channel in its quiet hours gets what is urgent at once, and the rest as one message at their end', async () => {
  await using db = await testDatabase();
  await using far = await receiver();
  const deps = depsFor(db.pool, far.url);
  deps.settings.channels[0]!.quietHours = { ...(await quietNow(db.pool)), timeZone: 'UTC' };
  const { id: project } = await aProject(db.pool);
  for (const title of ['one', 'two']) await aTask(db.pool, 'p', { title });
  await rule(db.pool, ['task.failed', 'secret.misused'], ['hook', 'ops']);
  for (const task of [1, 2]) await emit(db.pool, failed(project, task));
  await emit(db.pool, { kind: 'secret.misused', project, task: 1, run: '1-1', data: { host: 'x.org' } });
  await takeAll(db.pool, deps.settings);
  await go(deps);
  const hook = () => far.received.filter(({ path }) => path === '/hook').map(({ body }) => JSON.parse(body));
  assert.deepEqual(
    hook().map(({ type }) => type),
    ['secret.misused'],
  );
  assert.equal(far.received.length, 4, 'the other channel has no quiet hours');
  await hurry(db.pool);
  // What ends in the middle of it leaves everything as it was.
  await db.pool
    .query(`create function broken() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
    create trigger broken before update on notification_delivery for each row when (new.state = 'joined') execute function broken()`);
  await assert.rejects(go(deps));
  await db.pool.query('drop trigger broken on notification_delivery');
  await go(deps);
  await go(deps);
  assert.equal(hook().length, 2);
  assert.partialDeepStrictEqual(hook()[1], {
    type: 'digest',
    data: {
      title: '2 notifications',
      body: 'Failed: one (p)\nFailed: two (p)',
      url: 'https://autocode.example/inbox',
      items: [
        {
          kind: 'task.failed',
          project: 'p',
          task: 1,
          title: 'Failed: one',
          url: 'https://autocode.example/tasks/1',
        },
        { kind: 'task.failed', project: 'p', task: 2, title: 'Failed: two' },
      ],
    },
  });
  assert.deepEqual((await deliveries(db.pool)).map(({ state }) => state).toSorted(), [
    'joined',
    'joined',
    'sent',
    'sent',
    'sent',
    'sent',
    'sent',
  ]);
});

test('a person gets by email what the inbox gets, as one letter for what a digest collects, of what may be seen then', async () => {
  await using db = await testDatabase();
  await using server = await mailServer({ tls: 'none' });
  const email = { host: 'localhost', port: server.port, tls: 'none', from: 'autocode@example.com' };
  const deps = depsFor(db.pool, 'http://127.0.0.1:1', { email });
  const [shop, vault] = [await aProject(db.pool, 'shop'), await aProject(db.pool, 'vault')];
  await aTask(db.pool, 'shop', { title: 'in shop' });
  await aTask(db.pool, 'vault', { title: 'in vault' });
  const projects = { shop: 'viewer', vault: 'viewer' } as const;
  const ann = await createPerson(db.pool, { name: 'ann', role: null, projects }, 'me');
  await rule(db.pool, ['task.failed', 'task.approval'], [], ann.id);
  const happen = async (...events: EventInput[]) => {
    for (const event of events) await emit(db.pool, event);
    await takeAll(db.pool, deps.settings);
    await go(deps);
  };
  const subjects = () => server.received.map(({ to, raw }) => [to, /^Subject: (.*)\r$/m.exec(raw)![1]]);
  await happen(failed(shop.id, 1));
  assert.deepEqual(subjects(), [], 'nobody asked for email');
  const set = async (patch: object) => await changeOwnSettings(db.pool, ann.id, patch, deps.settings);
  await assert.rejects(set({ email: true }), { code: 'ERR_STATE' });
  await set({ email: true, address: 'ann@example.org' });
  await happen(failed(shop.id, 1));
  assert.deepEqual(subjects(), [], 'nobody has confirmed that the address is hers');
  await updatePerson(db.pool, 'ann', { email: 'ann@example.org' }, 'me');
  await happen(failed(shop.id, 1));
  assert.deepEqual(subjects(), [['ann@example.org', 'Failed: in shop']]);

  const { from: digestAt } = await quietNow(db.pool); // nothing is due by itself within the next hours
  await set({ digest: 'daily', digestAt });
  const approval = { to: 'pending', pendingReason: 'approval' };
  await happen(failed(shop.id, 1), failed(vault.id, 2), failed(shop.id, 1, 'another one'), {
    kind: 'task.state',
    project: shop.id,
    task: 1,
    data: approval,
  });
  assert.deepEqual(subjects().slice(1), [['ann@example.org', 'Waits for approval: in shop']]);
  await updatePerson(db.pool, 'ann', { projects: { vault: null } }, 'me');
  await hurry(db.pool);
  await go(deps);
  assert.deepEqual(subjects().slice(2), [['ann@example.org', '1 notification']]);
  assert.match(server.received[2]!.raw, /- Failed: in shop \(2 times\)/);
  assert.doesNotMatch(server.received[2]!.raw, /vault/);

  // What is held goes by what the person sets meanwhile.
  await happen(failed(shop.id, 1));
  await set({ digest: 'off', quietHours: await quietNow(db.pool) });
  await go(deps);
  assert.equal(server.received.length, 3);
  await set({ quietHours: null });
  await go(deps);
  assert.equal(server.received.length, 4);
  await set({ digest: 'daily' });
  await happen(failed(shop.id, 1));
  await set({ email: false, digest: 'off' });
  await go(deps);
  assert.partialDeepStrictEqual((await deliveries(db.pool)).at(-1), { state: 'failed' });
  await set({ email: true, digest: 'daily' });
  await happen(failed(shop.id, 1));
  await updatePerson(db.pool, 'ann', { disabled: true }, 'me');
  await hurry(db.pool);
  await go(deps);
  assert.equal(server.received.length, 4);
  assert.partialDeepStrictEqual((await deliveries(db.pool)).at(-1), {
    state: 'failed',
    title: 'Failed: in shop',
  });
});

test('a mail server that is away is left alone with all letters, and takes them later', async () => {
  await using db = await testDatabase();
  await using far = await receiver();
  await using server = await mailServer({ tls: 'none' });
  const email = { host: 'localhost', port: server.port, tls: 'none', from: 'autocode@example.com' };
  const deps = depsFor(db.pool, far.url, { email });
  const list = (name: string) => ({
    name,
    kind: 'email' as const,
    to: `${name}@example.org`,
    forPeople: false,
  });
  deps.settings.channels.push(list('one'), list('two'));
  const { id: project } = await aProject(db.pool);
  await aTask(db.pool);
  await rule(db.pool, ['task.failed'], ['one', 'two', 'hook']);
  await emit(db.pool, failed(project, 1));
  await takeAll(db.pool, deps.settings);
  server.recipients.push(421);
  await go(deps);
  assert.equal(far.received.length, 1);
  const { rows } = await db.pool.query(
    `select channel, tries, retry_at > now() as later from notification_delivery where state = 'waiting' order by channel`,
  );
  assert.deepEqual(rows, [
    { channel: 'one', tries: 1, later: true },
    { channel: 'two', tries: 0, later: true },
  ]);
  await hurry(db.pool);
  await go(deps);
  assert.deepEqual(
    server.received.map(({ to }) => to),
    ['one@example.org', 'two@example.org'],
  );
});
