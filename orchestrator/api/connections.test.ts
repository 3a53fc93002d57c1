import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { ErrorBody } from '../../protocol/errors.ts';
import type { Role } from '../../protocol/access.ts';
import { emit } from '../events/outbox.ts';
import { closeServer } from './connections.ts';
import { testApi } from './testing.ts';

/** The API on a port, and a connection to it that sends what it is told. */
async function listening(set: string[] = []) {
  const api = await testApi(set);
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const port = Number(new URL(url).port);
  return {
    api,
    url,
    open: () => connect(port, '127.0.0.1'),
    [Symbol.asyncDispose]: async () => await api[Symbol.asyncDispose](),
  };
}

/** All that comes until the server hangs up: status, headers and body of one answer. */
async function answerOf(socket: Socket): Promise<{ status: number; head: string; body: string }> {
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await once(socket, 'close');
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  return { status: Number(head.split(' ')[1]), head, body };
}

const BROKEN: [name: string, send: (token: string) => string, status: number, code: string][] = [
  ['what is not HTTP', () => 'SMTP forever\r\n\r\n', 400, 'ERR_INVALID_INPUT'],
  [
    'a flood of headers',
    () => `GET /api/v1/health HTTP/1.1\r\nhost: a\r\n${'x: '.padEnd(20_000, 'y')}\r\n\r\n`,
    431,
    'ERR_HEADERS_TOO_LARGE',
  ],
  [
    'a body that stops coming',
    (token) =>
      `POST /api/v1/tasks HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"title":`,
    408,
    'ERR_REQUEST_TIMEOUT',
  ],
];
for (const [name, send, status, code] of BROKEN) {
  test(`${name} is answered with ${status} in the one shape of errors, and the connection ends`, async () => {
    await using server = await listening(['api.bodySeconds=1']);
    const socket = server.open();
    socket.write(send(await server.api.token('operator')));
    const answer = await answerOf(socket);
    assert.equal(answer.status, status, answer.head);
    const { error } = ErrorBody.parse(JSON.parse(answer.body));
    assert.equal(error.code, code);
    assert.match(error.requestId ?? '', /^[\da-f-]{36}$/);
  });
}

test('a body on a GET is let pass, and the connection goes on', async () => {
  await using server = await listening();
  const socket = server.open();
  socket.write(
    'GET /api/v1/health HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nboo!GET /api/v1/health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
  );
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await once(socket, 'close');
  assert.equal(text.match(/HTTP\/1\.1 200 OK/g)?.length, 2, text);
});

test('HEAD of a stream gives its headers and ends', async () => {
  await using server = await listening();
  const headers = {
    authorization: `Bearer ${await server.api.token('viewer')}`,
    accept: 'text/event-stream',
  };
  const answer = await fetch(`${server.url}/api/v1/events`, {
    method: 'HEAD',
    headers,
    signal: AbortSignal.timeout(5000),
  });
  assert.equal(answer.status, 200);
});

test('a method that a path does not take is told which it takes', async () => {
  await using server = await listening();
  for (const method of ['OPTIONS', 'PUT', 'QUERY']) {
    const answer = await fetch(`${server.url}/api/v1/tasks/3`, { method });
    assert.equal(answer.status, 405, method);
    assert.equal(answer.headers.get('allow'), 'GET, HEAD, PATCH');
    assert.equal(ErrorBody.parse(await answer.json()).error.code, 'ERR_METHOD');
  }
});

test('each role has a rate limit of its own, told with the time to wait', async () => {
  const roles = ['admin', 'operator', 'viewer', 'worker'] as const satisfies Role[];
  await using server = await listening(roles.map((role, i) => `api.rateLimit.${role}=${i + 2}`));
  for (const [i, role] of roles.entries()) {
    const headers = { authorization: `Bearer ${await server.api.token(role)}` };
    const ask = async () =>
      await fetch(`${server.url}/api/v1/${role === 'worker' ? 'workers/w' : 'models'}`, {
        method: role === 'worker' ? 'PUT' : 'GET',
        headers,
      });
    for (let asked = 0; asked < i + 2; asked++) assert.notEqual((await ask()).status, 429, role);
    const refused = await ask();
    assert.equal(refused.status, 429, role);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    assert.equal(refused.headers.get('x-request-id'), ErrorBody.parse(await refused.json()).error.requestId);
  }
});

test('the server stops within two seconds though streams are open and one reader does not read', async () => {
  await using server = await listening();
  const { api } = server;
  const token = await api.token('viewer');
  const big = 'x'.repeat(60_000);
  for (let i = 0; i < 300; i++) await emit(api.db.pool, { kind: 'task.created', data: { big } });
  const stalled = await openStream(server.open(), token);
  const reading = await openStream(server.open(), token);
  reading.resume();
  const ends = [once(stalled, 'close'), once(reading, 'close')];
  const began = performance.now();
  api.stop();
  await closeServer(api.app);
  assert.ok(performance.now() - began < 2000, `it took ${performance.now() - began} ms`);
  stalled.resume();
  await Promise.all(ends);
});

/** An event stream that has begun; nothing more of it is read. */
async function openStream(socket: Socket, token: string): Promise<Socket> {
  socket.on('error', () => {}); // it may be reset
  socket.write(
    `GET /api/v1/events HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\naccept: text/event-stream\r\n\r\n`,
  );
  await once(socket, 'readable');
  return socket;
}
