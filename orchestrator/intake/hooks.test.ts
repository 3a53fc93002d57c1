import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { testApi, type TestApi } from '../api/testing.ts';
import { addProject } from './testing.ts';

const KEY = randomBytes(32);
const BODY = JSON.stringify({ title: 'The till is slow' });
const now = () => Math.floor(Date.now() / 1000);
let api: TestApi;
let count = 0;

before(async () => {
  api = await testApi(['api.bodySeconds=3']); // an injected request that is refused unread has no end
  await addProject(api.db.pool, 'shop');
  const secret = `whsec_${KEY.toString('base64')}`;
  const added = await api.send('admin', 'POST', '/api/v1/intake/sources', {
    name: 'tracker',
    kind: 'webhook',
    project: 'shop',
    secret,
  });
  assert.equal(added.status, 201);
  assert.equal(added.body.hook, '/api/v1/intake/hooks/tracker');
  assert.ok(!added.text.includes(secret));
});
after(async () => await api[Symbol.asyncDispose]());

const signed = (id: string, timestamp: number | string, body = BODY, key = KEY) =>
  `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;

async function send(headers: Record<string, string>, body = BODY, source = 'tracker') {
  return await api.send(null, 'POST', `/api/v1/intake/hooks/${source}`, body, {
    'content-type': 'application/json',
    ...headers,
  });
}

function headersOf(id: string, timestamp: number | string = now(), signature = signed(id, timestamp)) {
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signature };
}

const stored = async () =>
  (await api.db.pool.query<{ count: number }>('select count(*)::int as count from intake_delivery')).rows[0]!
    .count;

describe('a webhook by Standard Webhooks', () => {
  it('is durable when it is answered, and the same again is the same', async () => {
    const first = await send(headersOf('msg_1'));
    assert.equal(first.status, 202);
    assert.equal(first.body.repeated, false);
    const again = await send(headersOf('msg_1'));
    assert.deepEqual(again.body, { delivery: first.body.delivery, repeated: true });
    const { rows } = await api.db.pool.query('select sealed from intake_delivery');
    assert.ok(!rows[0].sealed.toString('latin1').includes('till'), 'its body is sealed');
  });

  it('is believed by any of several signatures, as while a secret changes', async () => {
    const id = 'msg_two';
    const at = now();
    const both = `${signed(id, at, BODY, randomBytes(32))} ${signed(id, at)}`;
    assert.equal((await send(headersOf(id, at, both))).status, 202);
  });

  const refused: [string, () => Promise<{ status: number; text: string }>][] = [
    ['another secret', async () => send(headersOf('r', now(), signed('r', now(), BODY, randomBytes(32))))],
    ['one byte changed', async () => send(headersOf('r'), BODY.replace('slow', 'slov'))],
    ['another id', async () => send({ ...headersOf('r'), 'webhook-id': 's' })],
    ['another time', async () => send({ ...headersOf('r'), 'webhook-timestamp': String(now() - 1) })],
    ['stale', async () => send(headersOf('r', now() - 301))],
    ['from the future', async () => send(headersOf('r', now() + 330))],
    ['a time that is none', async () => send(headersOf('r', 'soon', signed('r', 'soon')))],
    ['no signature', async () => send({ 'webhook-id': 'r', 'webhook-timestamp': String(now()) })],
    ['an empty signature', async () => send(headersOf('r', now(), 'v1,'))],
    ['a cut signature', async () => send(headersOf('r', now(), signed('r', now()).slice(0, -4)))],
    ['another version', async () => send(headersOf('r', now(), signed('r', now()).replace('v1', 'v2')))],
    ['two headers joined', async () => send(headersOf('r', now(), `${signed('r', now())}, v1,AAAA`))],
    ['no id', async () => send({ ...headersOf(''), 'webhook-id': '' })],
    ['a source that is not there', async () => send(headersOf('r'), BODY, 'nobody')],
    ['no body', async () => send(headersOf('r'), '')],
  ];
  for (const [what, request] of refused) {
    it(`is refused with ${what}, and leaves nothing`, async () => {
      const before = await stored();
      const { status, text } = await request();
      assert.equal(status, 401, text);
      assert.equal(await stored(), before);
    });
  }

  it('is refused the same whether there is a source or not', async () => {
    const answers = await Promise.all([send(headersOf('r', 1)), send(headersOf('r'), BODY, 'nobody')]);
    const words = answers.map(({ body }) => body.error.message.replace(/tracker|nobody/, 'X'));
    assert.equal(words[0], words[1]);
  });

  it('is refused when it is longer than a mebibyte', async () => {
    const body = JSON.stringify({ title: 'x'.repeat(1024 * 1024) });
    const id = `long-${++count}`;
    assert.equal((await send(headersOf(id, now(), signed(id, now(), body)), body)).status, 413);
  });

  it('is not acknowledged while the database is away', async () => {
    await api.db.pool.query('alter table intake_delivery rename to gone');
    const answer = await send(headersOf('msg_away'));
    await api.db.pool.query('alter table gone rename to intake_delivery');
    assert.ok(answer.status >= 500, String(answer.status));
    assert.equal((await send(headersOf('msg_away'))).body.repeated, false);
  });
});
