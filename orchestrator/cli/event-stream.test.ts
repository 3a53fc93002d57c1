import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect } from './client.ts';
import { parseMessage, type StreamMessage } from './event-stream.ts';

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    client: connect({ url, tokenFile: undefined, config: undefined, set: undefined }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function collect(stream: AsyncIterable<StreamMessage>): Promise<string[]> {
  const data: string[] = [];
  for await (const message of stream) data.push(message.data);
  return data;
}

test('a stream goes on behind the last id after its connection broke, and ends when the server says so', async () => {
  const asked: (string | undefined)[] = [];
  await using server = await serve((request, response) => {
    asked.push(request.headers['last-event-id'] as string | undefined);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (asked.length === 1)
      return void response.end(
        'id: 1\nevent: log\ndata: a\ndata: b\n\n: alive\n\nid: 2\nevent: log\ndata: c\n\nid: 3\nevent: log\ndata: cut off',
      );
    if (asked.length === 2) return response.destroy();
    response.end('id: 3\nevent: log\ndata: d\n\nid: 3\nevent: end\ndata: \n\n');
  });
  const got = await collect(server.client.follow('/x', { signal: new AbortController().signal }));
  assert.deepEqual(got, ['a\nb', 'c', 'd']);
  assert.deepEqual(asked, [undefined, '2', '2']);
});

test('characters that are cut between two packets come whole', async () => {
  await using server = await serve((_request, response) => {
    const bytes = Buffer.from('id: 1\nevent: log\ndata: grüße 日本\n\nevent: end\ndata: \n\n');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const write = (at: number): void => {
      if (at >= bytes.length) return void response.end();
      response.write(bytes.subarray(at, at + 1), () => setImmediate(write, at + 1));
    };
    write(0);
  });
  assert.deepEqual(await collect(server.client.follow('/x', { signal: new AbortController().signal })), [
    'grüße 日本',
  ]);
});

test('a refusal ends the stream with its own error', async () => {
  await using server = await serve((_request, response) => {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { code: 'ERR_NOT_FOUND', message: 'There is no run 9-1.' } }));
  });
  await assert.rejects(collect(server.client.follow('/x', { signal: new AbortController().signal })), {
    code: 'ERR_NOT_FOUND',
  });
});

test('an aborted stream just ends', async () => {
  await using server = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('id: 1\nevent: log\ndata: a\n\n');
  });
  const stop = new AbortController();
  const got: string[] = [];
  for await (const message of server.client.follow('/x', { signal: stop.signal })) {
    got.push(message.data);
    stop.abort();
  }
  assert.deepEqual(got, ['a']);
});

test('comments are no messages, and a value loses one space only', () => {
  assert.equal(parseMessage(': alive'), null);
  assert.deepEqual(parseMessage('data:  two'), { id: '', event: 'message', data: ' two' });
});
