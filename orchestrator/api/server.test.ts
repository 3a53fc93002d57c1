import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ErrorBody } from '../../protocol/errors.ts';
import { testApi, type TestApi } from './testing.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';

/** A repository with one commit in the test's directory. */
function repository(api: TestApi, name = 'sample'): string {
  const where = path.join(api.directory, name);
  mkdirSync(where);
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', where, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
  git('init', '-q', '-b', 'main');
  writeFileSync(path.join(where, 'package.json'), '{"scripts": {"test": "node --test"}}');
  git('add', '.');
  git('commit', '-qm', 'begin');
  return where;
}

/** A trusted project, a task in it and a registered worker. */
async function work(api: TestApi): Promise<number> {
  await api.send('admin', 'POST', '/api/v1/projects', {
    name: 'p',
    repository: repository(api),
    trusted: true,
    agent: 'command',
    agentCommand: ['true'],
  });
  const worker = {
    protocol: PROTOCOL_VERSION,
    version: '0',
    capacity: 2,
    agents: [{ name: 'command', version: null }],
    isolations: ['bubblewrap', 'directory'],
    host: 'h',
  };
  assert.equal((await api.send('worker', 'PUT', '/api/v1/workers/w', worker)).status, 200);
  const task = await api.send('operator', 'POST', '/api/v1/tasks', { project: 'p', title: 'do it' });
  assert.equal(task.status, 201, task.text);
  return task.body.id;
}

const claim = async (api: TestApi, claimId: string) =>
  await api.send('worker', 'POST', '/api/v1/workers/w/claim', { claimId, waitSeconds: 5 });

test('a project is registered, its verify commands are found from its files, and its name is unique', async () => {
  await using api = await testApi();
  const made = await api.send('operator', 'POST', '/api/v1/projects', {
    name: 'sample',
    repository: repository(api),
  });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(
    made.body.verify.map((check: { command: string }) => check.command),
    ['npm test'],
  );
  const again = await api.send('operator', 'POST', '/api/v1/projects', {
    name: 'sample',
    repository: repository(api, 'other'),
  });
  assert.equal(again.status, 409);
  assert.equal(again.body.error.code, 'ERR_CONFLICT');
});

test('a patch changes what it names and nothing else', async () => {
  await using api = await testApi();
  await api.send('operator', 'POST', '/api/v1/projects', {
    name: 'sample',
    repository: repository(api),
    trusted: true,
    limits: { maxIterations: 2 },
  });
  const patched = await api.send('operator', 'PATCH', '/api/v1/projects/sample', { model: 'a/b' });
  assert.equal(patched.body.model, 'a/b');
  assert.equal(patched.body.trusted, true);
  assert.deepEqual(patched.body.limits, { maxIterations: 2 });
});

const BAD: [
  name: string,
  send: (api: TestApi) => ReturnType<TestApi['send']>,
  status: number,
  code: string,
  message: RegExp,
][] = [
  ['no token', (api) => api.send(null, 'GET', '/api/v1/tasks'), 401, 'ERR_UNAUTHENTICATED', /No token/],
  [
    'a wrong token',
    (api) => api.send(null, 'GET', '/api/v1/tasks', undefined, { authorization: 'Bearer nonsense' }),
    401,
    'ERR_UNAUTHENTICATED',
    /unknown, revoked or expired/,
  ],
  [
    'a body that is not JSON',
    (api) => api.send('admin', 'POST', '/api/v1/tasks', '{"title": ', { 'content-type': 'application/json' }),
    400,
    'ERR_BODY_NOT_JSON',
    /JSON/,
  ],
  ['no body', (api) => api.send('admin', 'POST', '/api/v1/tasks'), 400, 'ERR_INVALID_INPUT', /body/],
  [
    'a body of another type',
    (api) =>
      api.send('admin', 'POST', '/api/v1/tasks', 'title=x', {
        'content-type': 'application/x-www-form-urlencoded',
      }),
    400,
    'ERR_BODY_NOT_JSON',
    /media/i,
  ],
  [
    'a body that is too large',
    (api) => api.send('admin', 'POST', '/api/v1/tasks', { project: 'p', title: 't', body: 'x'.repeat(5000) }),
    413,
    'ERR_BODY_TOO_LARGE',
    /large/,
  ],
  [
    'a wrong shape, naming every field',
    (api) => api.send('admin', 'POST', '/api/v1/tasks', { project: 'P!', priority: 'high', colour: 1 }),
    400,
    'ERR_INVALID_INPUT',
    /project.*priority|priority.*project/s,
  ],
  [
    'an unknown project',
    (api) => api.send('admin', 'POST', '/api/v1/tasks', { project: 'nope', title: 't' }),
    404,
    'ERR_NOT_FOUND',
    /nope/,
  ],
  ['an unknown task', (api) => api.send('admin', 'GET', '/api/v1/tasks/99'), 404, 'ERR_NOT_FOUND', /99/],
  [
    'a task number that is none',
    (api) => api.send('admin', 'GET', '/api/v1/tasks/abc'),
    400,
    'ERR_INVALID_INPUT',
    /task/,
  ],
  ['an unknown run', (api) => api.send('admin', 'GET', '/api/v1/runs/9-1'), 404, 'ERR_NOT_FOUND', /9-1/],
  ['an unknown change', (api) => api.send('admin', 'GET', '/api/v1/changes/9'), 404, 'ERR_NOT_FOUND', /9/],
  ['an unknown route', (api) => api.send('admin', 'GET', '/api/v1/nothing'), 404, 'ERR_NOT_FOUND', /nothing/],
  [
    'a repository that is not there',
    (api) => api.send('admin', 'POST', '/api/v1/projects', { name: 'x', repository: '/nowhere/at/all' }),
    422,
    'ERR_REPOSITORY_UNREACHABLE',
    /nowhere/,
  ],
  [
    'a branch that is not there',
    (api) =>
      api.send('admin', 'POST', '/api/v1/projects', {
        name: 'x',
        repository: repository(api),
        defaultBranch: 'dev',
      }),
    422,
    'ERR_BRANCH_UNKNOWN',
    /dev/,
  ],
];
for (const [name, send, status, code, message] of BAD) {
  test(`${name} is refused with ${code}, in the one shape of errors`, async () => {
    await using api = await testApi(['api.bodyLimitBytes=4096']);
    const answer = await send(api);
    assert.equal(answer.status, status, answer.text);
    const { error } = ErrorBody.parse(answer.body);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.equal(error.requestId, answer.headers['x-request-id']);
  });
}

test('more requests than the role allows are refused for a while', async () => {
  await using api = await testApi(['api.rateLimit.viewer=3']);
  const codes = [];
  for (let i = 0; i < 4; i++) codes.push((await api.send('viewer', 'GET', '/api/v1/tasks')).status);
  assert.deepEqual(codes, [200, 200, 200, 429]);
  assert.equal((await api.send('admin', 'GET', '/api/v1/tasks')).status, 200);
});

test('a run goes from claim to its end over the API, and the same claim gets the same run', async () => {
  await using api = await testApi();
  const task = await work(api);
  const claimId = crypto.randomUUID();
  const order = (await claim(api, claimId)).body;
  assert.equal(order.run, `${task}-1`);
  assert.deepEqual((await claim(api, claimId)).body.runToken, order.runToken);
  const run = async (method: 'GET' | 'POST', what: string, body?: object) =>
    await api.send(null, method, `/api/v1/runs/${order.run}/${what}`, body, {
      authorization: `Bearer ${order.runToken}`,
    });
  const base = await run('POST', 'base', { fence: 1 });
  assert.equal(base.status, 200, base.text);
  assert.equal(base.body.ref, `refs/runs/${order.run}`);
  assert.equal((await run('POST', 'heartbeat', { fence: 1 })).body.cancel, false);
  assert.equal((await run('POST', 'heartbeat', { fence: 2 })).body.error.code, 'ERR_STALE_FENCE');
  assert.equal((await run('POST', 'progress', { fence: 1, state: 'preparing' })).body.state, 'preparing');
  const missing = await run('POST', 'finish', {
    fence: 1,
    outcome: 'no-change',
    logs: { events: { bytes: 6, sha256: '0'.repeat(64) } },
  });
  assert.equal(missing.body.error.code, 'ERR_LOG_INCOMPLETE');
  const appended = await api.send(
    null,
    'POST',
    `/api/v1/runs/${order.run}/logs/events?offset=0&fence=1`,
    gzipSync('hello\n'),
    {
      authorization: `Bearer ${order.runToken}`,
      'content-type': 'application/octet-stream',
      'content-encoding': 'gzip',
    },
  );
  assert.deepEqual(appended.body, { bytes: 6 }, appended.text);
  const damaged = await run('POST', 'finish', {
    fence: 1,
    outcome: 'no-change',
    logs: { events: { bytes: 6, sha256: '0'.repeat(64) } },
  });
  assert.equal(damaged.body.error.code, 'ERR_CONFLICT');
  const sha256 = '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';
  const ended = await run('POST', 'finish', {
    fence: 1,
    outcome: 'no-change',
    logs: { events: { bytes: 6, sha256 } },
  });
  assert.equal(ended.body.state, 'no-change', ended.text);
  assert.equal((await api.send('viewer', 'GET', `/api/v1/tasks/${task}`)).body.state, 'completed');
  assert.equal(
    (await api.send('viewer', 'GET', `/api/v1/runs/${order.run}/logs/events?follow=true`)).text,
    'hello\n',
  );
});

test('a run token opens its own run and nothing else', async () => {
  await using api = await testApi();
  await work(api);
  const order = (await claim(api, crypto.randomUUID())).body;
  const as = { authorization: `Bearer ${order.runToken}` };
  assert.equal((await api.send(null, 'GET', '/api/v1/tasks', undefined, as)).status, 403);
  assert.equal((await api.send(null, 'POST', '/api/v1/runs/77-1/heartbeat', { fence: 1 }, as)).status, 403);
  assert.equal(
    (
      await api.send(
        null,
        'POST',
        `/api/v1/runs/${order.run}/heartbeat`,
        { fence: 1 },
        { authorization: `Bearer ${order.gatewayKey}` },
      )
    ).status,
    403,
  );
});

test('a waiting claim gets the task that comes while it waits, and 204 when none comes', async () => {
  await using api = await testApi();
  await work(api);
  assert.equal((await claim(api, crypto.randomUUID())).status, 200);
  const none = await api.send('worker', 'POST', '/api/v1/workers/w/claim', {
    claimId: crypto.randomUUID(),
    waitSeconds: 0,
  });
  assert.equal(none.status, 204);
  await api.send('operator', 'POST', '/api/v1/projects', {
    name: 'q',
    repository: repository(api, 'second'),
    trusted: true,
    agent: 'command',
    agentCommand: ['true'],
  });
  const waiting = claim(api, crypto.randomUUID());
  await api.send('operator', 'POST', '/api/v1/tasks', { project: 'q', title: 'later' });
  assert.equal((await waiting).status, 200);
});

test('cancelling a running task reaches the runner that waits for signals', async () => {
  await using api = await testApi();
  const task = await work(api);
  const order = (await claim(api, crypto.randomUUID())).body;
  const signal = api.send(
    null,
    'GET',
    `/api/v1/runs/${order.run}/signals?fence=1&waitSeconds=10`,
    undefined,
    { authorization: `Bearer ${order.runToken}` },
  );
  await api.send('operator', 'POST', `/api/v1/tasks/${task}/cancel`);
  assert.deepEqual((await signal).body, { cancel: true, messages: [] });
});

test('the OpenAPI document names every route with its answers', async () => {
  await using api = await testApi();
  const { body } = await api.send(null, 'GET', '/api/openapi.json');
  assert.equal(body.openapi, '3.1.0');
  for (const route of [
    '/api/v1/tasks/{task}',
    '/api/v1/projects',
    '/api/v1/runs/{run}/logs/{stream}',
    '/api/v1/events',
    '/api/v1/workers/{worker}/claim',
  ]) {
    assert.ok(body.paths[route], route);
  }
  assert.deepEqual(
    body.paths['/api/v1/tasks/{task}'].get.responses['200'].content['application/json'].schema,
    { $ref: '#/components/schemas/Task' },
  );
  const tells = (method: string, path: string) => body.paths[`/api/v1${path}`][method].security;
  assert.deepEqual(tells('get', '/tasks'), [{ token: [] }, { session: [] }]);
  assert.deepEqual(tells('post', '/tasks'), [{ token: [] }, { session: [], csrf: [] }]);
  assert.deepEqual(tells('post', '/runs/{run}/heartbeat'), [{ token: [] }]);
  assert.deepEqual(tells('post', '/session'), []);
});

test('a secret goes in, is listed by name and version, and its value comes out nowhere', async () => {
  await using api = await testApi();
  const put = await api.send('admin', 'PUT', '/api/v1/secrets/openai-key', {
    value: 'sk-canary',
    expectedVersion: 0,
  });
  assert.equal(put.body.version, 1, put.text);
  const stale = await api.send('admin', 'PUT', '/api/v1/secrets/openai-key', {
    value: 'x',
    expectedVersion: 0,
  });
  assert.equal(stale.body.error.code, 'ERR_CONFLICT');
  const listed = await api.send('admin', 'GET', '/api/v1/secrets');
  assert.deepEqual(
    listed.body.map((secret: { name: string }) => secret.name),
    ['openai-key'],
  );
  assert.ok(![put.text, stale.text, listed.text].join().includes('sk-canary'));
  assert.equal((await api.send('admin', 'PUT', '/api/v1/secrets/server-key', { value: 'x' })).status, 403);
  assert.equal((await api.send('admin', 'DELETE', '/api/v1/secrets/openai-key')).status, 200);
  assert.equal((await api.send('admin', 'DELETE', '/api/v1/secrets/openai-key')).status, 404);
});
