import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { NotificationSettings } from '../config/notification-settings.ts';
import { notificationHealth } from './notification-status.ts';

const channels = [{ name: 'ops', kind: 'slack' }];

test('a channel that has failed for an hour is told, until a message arrives', async () => {
  await using db = await testDatabase();
  const health = async (settings: object = { channels }) =>
    await notificationHealth(db.pool, NotificationSettings.parse(settings));
  const add = async (
    channel: string,
    state: string,
    minutes: number,
    more: { kind?: string; tries?: number } = {},
  ) =>
    await db.pool.query(
      `insert into notification_delivery (channel, person, kind, title, body, at, state, tries, trouble, created_at, ended_at)
       values ($1, (select id from person where $1 like '%:%'), $5, 't', 'b', now(), $2, $4, case when $2 <> 'sent' then 'It is away.' end,
         now() - make_interval(mins => $3), case when $2 <> 'waiting' then now() - make_interval(mins => $3) end)`,
      [channel, state, minutes, more.tries ?? 3, more.kind ?? 'task.failed'],
    );
  await db.pool.query(`insert into person (name, created_by) values ('ann', 'me')`);
  assert.deepEqual(await health({}), []);
  const fine = [{ name: 'notifications', state: 'ok', detail: 'channel ops' }];
  await add('ops', 'failed', 120);
  await add('ops', 'sent', 90);
  await add('ops', 'waiting', 30);
  await add('ops', 'failed', 80, { kind: 'test' });
  await add('gone', 'failed', 80);
  assert.deepEqual(await health(), fine);
  await add('ops', 'waiting', 70);
  const [told] = await health();
  assert.equal(told!.state, 'degraded');
  assert.match(told!.detail, /^channel ops; channel ops has failed since 20\S+Z: It is away\.$/);
  await add('ops', 'sent', 0);
  assert.deepEqual(await health(), fine);

  const email = { email: { host: 'localhost', from: 'a@b.example' } };
  await add('email:1', 'failed', 100, { tries: 1 });
  assert.deepEqual(await health(email), [{ name: 'notifications', state: 'ok', detail: 'email of people' }]);
  await add('email:1', 'waiting', 100, { tries: 2 });
  assert.match((await health(email))[0]!.detail, /email of people has failed since/);
});
