import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Database } from '../db/connect.ts';
import { sendDeliveries, type DeliveryDeps } from './deliveries.ts';
import { KEY, depsFor, hurry, receiver } from './testing.ts';

const go = async (deps: DeliveryDeps) => await sendDeliveries(deps, new AbortController().signal);

async function wait(db: Database, channel: string, title = 'Failed: <do> & "it"'): Promise<void> {
  await db.query(
    `insert into notification_delivery (event, channel, kind, title, body, path, at)
     values (gen_random_uuid()::text, $1, 'task.failed', $2, 'task 7: hunter2', '/tasks/7', '2026-03-01T12:00:00Z')`,
    [channel, title],
  );
}

async function rows(db: Database) {
  const { rows: all } = await db.query<{
    state: string;
    tries: number;
    trouble: string | null;
    message: string;
    retry: number;
  }>(
    `select state, tries, trouble, message, extract(epoch from retry_at)::float8 as retry
     from notification_delivery order by id`,
  );
  return all;
}

async function now(db: Database): Promise<number> {
  const { rows: all } = await db.query<{ now: number }>('select extract(epoch from now())::float8 as now');
  return all[0]!.now;
}

test('a webhook is signed as Standard Webhooks says, and clean of secrets', async () => {
  await using db = await testDatabase();
  await using far = await receiver();
  await wait(db.pool, 'hook');
  await go(depsFor(db.pool, far.url));
  const [{ path, headers, body } = assert.fail()] = far.received;
  const [row] = await rows(db.pool);
  assert.equal(path, '/hook');
  assert.equal(headers['webhook-id'], row!.message);
  const signed = `${row!.message}.${String(headers['webhook-timestamp'])}.${body}`;
  const key = Buffer.from(KEY.slice('whsec_'.length), 'base64');
  const expected = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  assert.equal(headers['webhook-signature'], expected);
  assert.deepEqual(JSON.parse(body), {
    type: 'task.failed',
    timestamp: '2026-03-01T12:00:00.000Z',
    data: {
      id: row!.message,
      project: null,
      task: null,
      title: 'Failed: <do> & "it"',
      body: 'task 7: [secret]',
      url: 'https://autocode.example/tasks/7',
    },
  });
  assert.partialDeepStrictEqual(row, { state: 'sent', tries: 1, trouble: null });
  await go(depsFor(db.pool, far.url));
  assert.equal(far.received.length, 1);
});

test('Slack gets blocks in which texts from outside are plain', async () => {
  await using db = await testDatabase();
  await using far = await receiver();
  await wait(db.pool, 'ops', '<!channel> *x* <https://evil|y>');
  await go(depsFor(db.pool, far.url));
  const body = JSON.parse(far.received[0]!.body);
  assert.equal(far.received[0]!.path, '/services/T0/B0/secret');
  assert.deepEqual(body.blocks[0].text, {
    type: 'plain_text',
    text: '<!channel> *x* <https://evil|y>',
    emoji: false,
  });
  assert.equal(body.text, '&lt;!channel&gt; *x* &lt;https://evil|y&gt;');
  assert.match(body.blocks[2].elements[0].text, /<https:\/\/autocode\.example\/tasks\/7\|Open in Autocode>/);
});

test('what fails is tried again with the same id, at longer and longer intervals', async () => {
  await using db = await testDatabase();
  await using far = await receiver();
  const deps = depsFor(db.pool, far.url);
  await wait(db.pool, 'hook');
  for (const pause of [5, 10, 20]) {
    far.answers.push((response) => response.writeHead(500).end('down'));
    await hurry(db.pool);
    const began = await now(db.pool);
    await go(deps);
    const ended = await now(db.pool);
    const [row] = await rows(db.pool);
    assert.partialDeepStrictEqual(row, { state: 'waiting', trouble: 'It answered 500.' });
    assert.ok(row!.retry >= began + pause && row!.retry <= ended + pause);
  }
  await hurry(db.pool);
  await go(deps);
  assert.partialDeepStrictEqual((await rows(db.pool))[0], { state: 'sent', tries: 4, trouble: null });
  assert.equal(new Set(far.received.map(({ headers }) => headers['webhook-id'])).size, 1);
});

test('Retry-After is kept to by all that waits for the channel, and by no other', async () => {
  await using db = await testDatabase();
  await using far = await receiver();
  await wait(db.pool, 'hook');
  await wait(db.pool, 'hook');
  far.answers.push((response) => response.writeHead(429, { 'retry-after': '120' }).end());
  const began = await now(db.pool);
  await go(depsFor(db.pool, far.url));
  assert.equal(far.received.length, 1);
  for (const { retry, state } of await rows(db.pool)) {
    assert.equal(state, 'waiting');
    assert.ok(retry >= began + 120);
  }
  await wait(db.pool, 'ops');
  await go(depsFor(db.pool, far.url));
  assert.equal(far.received.length, 2);
});

test('a receiver that is away stops nothing else; its address is in no error', async () => {
  await using db = await testDatabase();
  await using far = await receiver();
  const deps = depsFor(db.pool, far.url);
  deps.secrets = {
    ...deps.secrets,
    get: async (name) => ({ value: name === 'slack-url' ? 'http://127.0.0.1:1/secret' : KEY, version: 1 }),
  };
  await wait(db.pool, 'ops');
  await wait(db.pool, 'hook');
  await go(deps);
  const [away, sent] = await rows(db.pool);
  assert.equal(sent!.state, 'sent');
  assert.partialDeepStrictEqual(away, { state: 'waiting', tries: 1 });
  assert.match(away!.trouble!, /^It could not be reached/);
  assert.doesNotMatch(away!.trouble!, /secret/);
});

test('what will never be taken, what is too old and what has no channel any more is given up', async () => {
  await using db = await testDatabase();
  await using far = await receiver();
  await wait(db.pool, 'hook');
  far.answers.push((response) => response.writeHead(410).end());
  await go(depsFor(db.pool, far.url));
  await wait(db.pool, 'hook');
  await db.pool.query(
    `update notification_delivery set created_at = now() - interval '25 h' where state = 'waiting'`,
  );
  far.answers.push((response) => response.writeHead(502).end());
  await go(depsFor(db.pool, far.url));
  await wait(db.pool, 'gone');
  await go(depsFor(db.pool, far.url));
  assert.deepEqual(
    (await rows(db.pool)).map(({ state, trouble }) => [state, trouble]),
    [
      ['failed', 'It answered 410.'],
      ['failed', 'It answered 502.'],
      ['failed', 'The configuration has no channel gone.'],
    ],
  );
});

test('no redirect is followed', async () => {
  await using db = await testDatabase();
  await using far = await receiver();
  await wait(db.pool, 'hook');
  far.answers.push((response) => response.writeHead(307, { location: `${far.url}/elsewhere` }).end());
  await go(depsFor(db.pool, far.url));
  assert.deepEqual(
    far.received.map(({ path }) => path),
    ['/hook'],
  );
  assert.equal((await rows(db.pool))[0]!.trouble, 'It answered 307.');
});

test('a try that ended unnoted, as by a crash, is made again with the same id', async () => {
  await using db = await testDatabase();
  await using far = await receiver();
  const deps = depsFor(db.pool, far.url);
  await wait(db.pool, 'hook');
  const stopped = new AbortController();
  far.answers.push(() => stopped.abort()); // it has the message, and answers nobody
  await assert.rejects(sendDeliveries(deps, stopped.signal));
  await go(deps);
  assert.equal(far.received.length, 1);
  await hurry(db.pool);
  await go(deps);
  assert.equal(far.received.length, 2);
  assert.equal(far.received[0]!.headers['webhook-id'], far.received[1]!.headers['webhook-id']);
  assert.partialDeepStrictEqual((await rows(db.pool))[0], { state: 'sent', tries: 2 });
});
