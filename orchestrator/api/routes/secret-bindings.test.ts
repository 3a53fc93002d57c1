import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { liveRun } from '../../gateway/testing/live-run.ts';
import { placeholdersOf } from '../../secrets/leases/placeholder.ts';
import { keepStanding } from '../../secrets/leases/store.ts';
import { testApi, type TestApi } from '../testing.ts';

let api: TestApi;
before(async () => (api = await testApi()));
after(async () => await api[Symbol.asyncDispose]());

const BINDINGS = '/api/v1/secret-bindings';
const npm = { secret: 'npm-token', host: 'registry.npmjs.org', place: 'bearer', variable: 'NPM_TOKEN' };

const bind = async (binding: object) => await api.send('admin', 'POST', BINDINGS, binding);

test('a secret is bound to a rule of the egress policy, once, and runs get a placeholder in its variable', async () => {
  const none = await bind(npm);
  assert.deepEqual([none.status, none.body.error.code], [404, 'ERR_NOT_FOUND']);
  await api.send('admin', 'PUT', '/api/v1/secrets/npm-token', { value: 'npm_0815-4711' });
  const { status, body } = await bind({ ...npm, methods: ['PUT', 'GET'], path: '/shop/**' });
  assert.deepEqual(
    [status, body.rule, body.plain, body.project],
    [200, 'allow method=GET,PUT host=registry.npmjs.org path=/shop/**', false, null],
  );
  const again = await bind({
    ...npm,
    host: 'https://registry.npmjs.org/',
    methods: ['GET', 'PUT'],
    path: '/shop/**',
  });
  assert.equal(again.body.id, body.id);
  const plain = await bind({ ...npm, host: 'http://10.0.0.5:3000' });
  assert.deepEqual([plain.body.rule, plain.body.plain], ['allow host=10.0.0.5:3000', true]);
  assert.equal((await api.send('admin', 'GET', BINDINGS)).body.length, 2);

  const { run } = await liveRun(api.db.pool);
  const first = await placeholdersOf(api.db.pool, Buffer.alloc(32), run);
  assert.deepEqual(Object.keys(first), ['NPM_TOKEN']);
  assert.match(first.NPM_TOKEN!, /^acph_[\w-]{43}$/);
  assert.deepEqual(await placeholdersOf(api.db.pool, Buffer.alloc(32), run), first);

  assert.equal((await api.send('admin', 'DELETE', `${BINDINGS}/${plain.body.id}`)).status, 200);
  assert.equal((await api.send('admin', 'DELETE', `${BINDINGS}/${plain.body.id}`)).status, 404);
});

test('what cannot be bound is refused with the reason, and changes nothing', async () => {
  await api.send('admin', 'PUT', '/api/v1/secrets/short', { value: 'abc-1' });
  await api.send('admin', 'PUT', '/api/v1/secrets/other', { value: 'other-0815-4711' });
  for (const [binding, status, message] of [
    [{ ...npm, secret: 'short' }, 400, /less than 8 characters/],
    [{ ...npm, secret: 'server-key' }, 400, /a key of Autocode itself/],
    [{ ...npm, secret: 'other' }, 409, /NPM_TOKEN stands for the secret npm-token already/],
    [{ ...npm, host: '**' }, 400, /for one host, or for the names below one/],
    [{ ...npm, host: 'a b' }, 400, /is no key=value/],
    [{ ...npm, host: 'a.example project=shop' }, 400, /for one host/],
    [{ ...npm, path: 'x' }, 400, /begins with a slash/],
    [{ ...npm, place: 'header:User-Agent' }, 400, /is no place for a secret/],
    [{ ...npm, place: 'cookie' }, 400, /bearer, basic/],
    [{ ...npm, variable: 'npm token' }, 400, /capitals/],
    [{ ...npm, project: 'none' }, 404, /none/],
  ] as const) {
    const answer = await bind(binding);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, message);
  }
  assert.equal((await api.send('admin', 'GET', BINDINGS)).body.length, 1);
});

test('leases are shown by run, those that have ended only when they are asked for', async () => {
  const { run } = await liveRun(api.db.pool);
  const lease = { run, secret: 'npm-token', version: 1, seconds: 300, trouble: null };
  await keepStanding(api.db.pool, [lease]);
  const shown = async (query: string) =>
    (await api.send('admin', 'GET', `/api/v1/secret-leases${query}`)).body;
  const [open] = await shown(`?run=${run}`);
  assert.deepEqual([open.run, open.secret, open.version, open.endedAt], [run, 'npm-token', 1, null]);
  await keepStanding(api.db.pool, []);
  assert.deepEqual(await shown(''), []);
  const [ended] = await shown('?all=true');
  assert.ok(ended.endedAt !== null && ended.until <= ended.endedAt);
  await keepStanding(api.db.pool, [{ ...lease, version: null, seconds: null, trouble: 'it is away' }]);
  const [back] = await shown('');
  assert.deepEqual([back.version, back.trouble, back.endedAt], [1, 'it is away', null]);
});
