// The configuration by the API, with real files: what is told of each key, what a change does to the file, what is refused.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync, chmodSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Setting, Settings } from '../../../protocol/settings.ts';
import { testApi, type TestApi } from '../testing.ts';

const URL = '/api/v1/settings';
const WRITTEN = `# Settings of the shop.

api:
  bodySeconds: 45 # slow lines
models:
  engines:
    # the big one
    - kind: upstream
      name: big
      url: https://big.example # behind the proxy
      models: [{ name: m }]
`;

const fileOf = (api: TestApi) => path.join(api.directory, 'config/autocode.yaml');
const read = (api: TestApi) => readFileSync(fileOf(api), 'utf8');
function write(api: TestApi, text: string): void {
  mkdirSync(path.dirname(fileOf(api)), { recursive: true });
  writeFileSync(fileOf(api), text);
}
async function settings(api: TestApi): Promise<Settings> {
  const { status, body } = await api.send('admin', 'GET', URL);
  assert.equal(status, 200);
  return body as Settings;
}
const keyOf = (all: Settings, key: string): Setting => all.keys.find((each) => each.path === key)!;
async function patch(api: TestApi, change: object) {
  const { version } = await settings(api);
  return await api.send('admin', 'PATCH', URL, { version, ...change });
}

test('each key is told with its value, its place and its schema, and changes wait for the next start', async () => {
  await using api = await testApi(['log.level=warn']);
  const before = await settings(api);
  assert.deepEqual([before.exists, before.readOnly, before.mistakes], [false, null, []]);
  assert.partialDeepStrictEqual(keyOf(before, 'log.level'), {
    value: 'warn',
    fixedBy: '--set',
    source: '--set',
  });
  assert.partialDeepStrictEqual(keyOf(before, 'api.bodySeconds'), {
    group: 'api',
    value: 30,
    default: 30,
    source: 'default',
    inFile: false,
    pending: null,
    schema: { type: 'integer', minimum: 1, maximum: 3600 },
  });
  const { status, body } = await patch(api, { set: { 'api.bodySeconds': 45, forges: [] } });
  assert.equal(status, 200);
  assert.partialDeepStrictEqual(keyOf(body, 'api.bodySeconds'), {
    value: 30,
    inFile: true,
    pending: { value: 45 },
  });
  assert.partialDeepStrictEqual(keyOf(body, 'forges'), { inFile: true, pending: null });
  assert.equal(read(api), 'api:\n  bodySeconds: 45\nforges: []\n');
  assert.equal(statSync(fileOf(api)).mode & 0o777, 0o640);
  assert.equal((await api.send('operator', 'GET', URL)).status, 403);
});

test('comments, order, mode and what was not named stay in the file', async () => {
  await using api = await testApi();
  write(api, WRITTEN);
  chmodSync(fileOf(api), 0o660);
  const big = { kind: 'upstream', name: 'big', url: 'https://new.example', models: [{ name: 'm' }] };
  const small = { ...big, name: 'small', url: 'https://small.example' };
  const set = { 'api.bodySeconds': 50, 'api.host': '::1', 'models.engines': [big, small] };
  const { status, text } = await patch(api, { set });
  assert.equal(status, 200, text);
  assert.equal(
    read(api),
    `# Settings of the shop.

api:
  bodySeconds: 50 # slow lines
  host: ::1
models:
  engines:
    # the big one
    - kind: upstream
      name: big
      url: https://new.example # behind the proxy
      models: [ { name: m } ]
    - kind: upstream
      name: small
      url: https://small.example
      models:
        - name: m
`,
  );
  assert.equal(statSync(fileOf(api)).mode & 0o777, 0o660);
  assert.equal((await patch(api, { unset: ['api', 'models.engines'] })).status, 200);
  assert.equal(read(api), '# Settings of the shop.\n\n{}\n');
});

test('a change of a file that has changed is refused, one that says what the file says is none', async () => {
  await using api = await testApi();
  const { version } = await settings(api);
  write(api, WRITTEN);
  const refused = await api.send('admin', 'PATCH', URL, { version, set: { 'api.bodySeconds': 50 } });
  assert.partialDeepStrictEqual(refused, { status: 409, body: { error: { code: 'ERR_CONFLICT' } } });
  assert.equal(read(api), WRITTEN);
  const again = await api.send('admin', 'PATCH', URL, {
    version,
    set: { 'api.bodySeconds': 45 },
    unset: ['tls'],
  });
  assert.equal(again.status, 200);
  assert.equal(read(api), WRITTEN);
});

test('every mistake of a change is told by its key, and nothing is written', async () => {
  await using api = await testApi(['log.level=warn']);
  write(api, WRITTEN);
  const engine = { kind: 'upstream', name: 'big', url: 'nowhere', models: [] };
  const { status, body } = await patch(api, {
    set: {
      'api.port': '80',
      'lease.leaseSeconds': 5,
      'models.engines': [engine],
      'retention.eventsDays': null,
    },
  });
  assert.equal(status, 400);
  const paths = body.error.details.mistakes.map((mistake: { path: string }) => mistake.path).toSorted();
  const wrong = ['api.port', 'lease.leaseSeconds', 'models.engines.0.models', 'models.engines.0.url'];
  assert.deepEqual(paths, [...wrong, 'retention.eventsDays']);
  const odd = await patch(api, {
    set: {
      'api.prot': 1,
      'log.level': 'info',
      tls: {},
      'constructor.prototype': 1,
      'agents.default': 'a\0',
      'models.default': JSON.parse(`${'['.repeat(60)}${']'.repeat(60)}`),
      'api.host': 'h',
    },
    unset: ['api', 'nonsense'],
  });
  const told = odd.body.error.details.mistakes.map((each: { path: string; message: string }) =>
    `${each.path} ${each.message}`.replace(/;.*/, ''),
  );
  assert.deepEqual(told.toSorted(), [
    'agents.default has characters that are none',
    'api.host is set and unset at once',
    'api.prot is not a key',
    'api.prot is set and unset at once',
    'constructor.prototype is not a key',
    'log.level is set by --set, which goes before the file',
    'models.default is nested deeper than 30 levels',
    'nonsense is not a key',
    'tls is a part with keys of its own',
  ]);
  const proto = await api.send('admin', 'PATCH', URL, '{"version":"","set":{"__proto__":{"a":1}}}', {
    'content-type': 'application/json',
  });
  assert.equal(proto.status, 400);
  assert.equal(read(api), WRITTEN);
});

test('a masked password stays what it was, and is never written as it is shown', async () => {
  await using api = await testApi();
  write(api, 'database:\n  url: postgresql://me:hunter2@h/d\n');
  const shown = keyOf(await settings(api), 'database.url');
  assert.deepEqual(shown.pending, { value: 'postgresql://me:***@h/d' });
  const same = await patch(api, {
    set: { 'database.url': 'postgresql://me:***@h/d', 'api.bodySeconds': 31 },
  });
  assert.equal(same.status, 200, same.text);
  assert.ok(!same.text.includes('hunter2'));
  assert.equal(read(api), 'database:\n  url: postgresql://me:hunter2@h/d\napi:\n  bodySeconds: 31\n');
  const moved = await patch(api, { set: { 'database.url': 'postgresql://me:***@elsewhere/d' } });
  assert.partialDeepStrictEqual(moved.body.error.details.mistakes, [{ path: 'database.url' }]);
});

test('what somebody has broken by hand is told with its line, and can be mended key by key while it is YAML', async () => {
  await using api = await testApi();
  write(api, 'api:\n  bodySeconds: none\n');
  const broken = await settings(api);
  assert.match(broken.mistakes[0]!.where, /autocode\.yaml:2:16$/);
  assert.equal((await patch(api, { set: { 'api.bodySeconds': 40 } })).status, 200);
  for (const text of ['api: [1\n', '- 1\n', 'api: \xff\n']) {
    mkdirSync(path.dirname(fileOf(api)), { recursive: true });
    writeFileSync(fileOf(api), Buffer.from(text, 'latin1'));
    const refused = await patch(api, { set: { 'api.bodySeconds': 41 } });
    assert.equal(refused.status, 409, text);
    assert.deepEqual(readFileSync(fileOf(api)), Buffer.from(text, 'latin1'));
  }
  write(api, 'api: &a {bodySeconds: 31}\nx: *a\n');
  assert.equal((await patch(api, { set: { 'api.bodySeconds': 41 }, unset: [] })).status, 409);
});

test('the audit log has the keys of a change, and no value', async () => {
  await using api = await testApi();
  await patch(api, { set: { 'api.publicUrl': 'https://very.private' }, unset: ['log.level'] });
  assert.equal((await api.send('operator', 'PATCH', URL, { set: 1 })).status, 403);
  const { body, text } = await api.send('admin', 'GET', '/api/v1/audit-records');
  assert.partialDeepStrictEqual(body, [
    { method: 'PATCH', target: {}, status: 403 },
    { method: 'PATCH', target: { set: 'api.publicUrl', unset: 'log.level' }, status: 200 },
  ]);
  assert.ok(!text.includes('very.private'));
  assert.ok(existsSync(fileOf(api)));
});
