// The relay to the egress proxy, before a proxy that only notes what it is asked.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { startEgressRelay } from './egress-relay.ts';

const OWN = `Basic ${Buffer.from('run:ac_egress_own').toString('base64')}`;

async function rig(t: TestContext, answer: http.RequestListener) {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-relay-'));
  const proxy = http.createServer(answer).listen(0, '127.0.0.1');
  const tunnels: http.IncomingMessage[] = [];
  proxy.on('connect', (request: http.IncomingMessage, socket: net.Socket, head: Buffer) => {
    tunnels.push(request);
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    socket.write(head);
    socket.pipe(socket);
  });
  await once(proxy, 'listening');
  const socket = path.join(directory, 'egress.sock');
  const url = `http://127.0.0.1:${(proxy.address() as net.AddressInfo).port}`;
  const relay = await startEgressRelay({ url, token: 'ac_egress_own', socket, patienceMs: 100 });
  t.after(async () => {
    await relay.close();
    proxy.close();
    proxy.closeAllConnections();
    rmSync(directory, { recursive: true });
  });
  return { proxy, socket, tunnels };
}

/** What comes back for these bytes, until the connection ends or all of `end` is there. */
async function raw(socket: string, text: string, end: string): Promise<string> {
  const near = net.connect(socket);
  near.write(text);
  let all = '';
  for await (const chunk of near as AsyncIterable<Buffer>) {
    all += chunk.toString();
    if (all.includes(end)) break;
  }
  return all;
}

test('requests and tunnels have the identity of the run, whatever came from inside', async (t) => {
  const seen: http.IncomingMessage[] = [];
  const { socket, tunnels } = await rig(t, (request, response) => {
    seen.push(request);
    request.pipe(response);
  });
  const forged = 'Proxy-Authorization: Basic Zm9yZ2Vk\r\nProxy-Connection: keep-alive\r\n';
  const body = 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
  const plain = await raw(
    socket,
    `POST http://a.example/x HTTP/1.1\r\nHost: a.example\r\nX-Own: 1\r\n${forged}${body}`,
    'hello',
  );
  assert.match(plain, /^HTTP\/1\.1 200 /);
  assert.equal(seen[0]?.url, 'http://a.example/x');
  assert.equal(seen[0]?.headers['proxy-authorization'], OWN);
  assert.equal(seen[0]?.headers['proxy-connection'], undefined);
  assert.equal(seen[0]?.headers['x-own'], '1');
  const tunnel = await raw(
    socket,
    `CONNECT a.example:443 HTTP/1.1\r\nHost: b.example\r\n${forged}\r\nping`,
    'ping',
  );
  assert.match(tunnel, /^HTTP\/1\.1 200 Connection established\r\n\r\nping$/);
  assert.deepEqual(
    [tunnels[0]?.url, tunnels[0]?.headers],
    ['a.example:443', { host: 'a.example:443', 'proxy-authorization': OWN }],
  );
});

test('what is no request to a proxy goes no further', async (t) => {
  const { socket, tunnels } = await rig(t, () => assert.fail('it came through'));
  for (const text of [
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET https://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n',
    'CONNECT a.example HTTP/1.1\r\nHost: a\r\n\r\n',
    'CONNECT /run:1 HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET http://a.example/ HTTP/1.1\r\nHost : a\r\n\r\n',
  ])
    assert.match(await raw(socket, text, '\r\n\r\n'), /^HTTP\/1\.1 400 /, text);
  assert.equal(tunnels.length, 0);
});

test('a proxy that is away is told, and a client that breaks off in the middle is no harm', async (t) => {
  const { proxy, socket } = await rig(t, (_request, response) => void response.write('begun'));
  const near = net.connect(socket);
  near.write('GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n');
  await once(near, 'data');
  near.destroy();
  proxy.close();
  proxy.closeAllConnections();
  await once(proxy, 'close');
  const words = /^HTTP\/1\.1 502 [^]*The egress proxy cannot be reached/;
  assert.match(await raw(socket, 'GET http://a.example/ HTTP/1.1\r\nHost: a\r\n\r\n', 'reached'), words);
  assert.match(await raw(socket, 'CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n', 'reached'), words);
});
