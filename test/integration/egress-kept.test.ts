// Limits and the cache at the real proxy: what is answered without going out, what would go out too often, and what a kill leaves; and
// what servers and clients send that no one should.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { readProcess } from '../../orchestrator/egress/proxy-process.ts';
import { makeServerCertificate } from '../../orchestrator/tls/certificate.ts';
import { egressRig, until } from '../support/egress-rig.ts';

let rig: Awaited<ReturnType<typeof egressRig>>;
const ARCHIVE = randomBytes(3_000_000);
const asked: { url: string; headers: string[] }[] = [];
let slow: ServerResponse | undefined;

before(async () => {
  rig = await egressRig(
    (request, response) => {
      const { url = '', rawHeaders } = request;
      asked.push({ url, headers: rawHeaders });
      if (url.includes('slow')) {
        slow = response.writeHead(200, { 'content-length': ARCHIVE.length });
        slow.write(ARCHIVE.subarray(0, 1_000_000));
      } else if (url.includes('own')) response.setHeader('set-cookie', 'a=b').end(ARCHIVE);
      else if (url === '/up') request.resume().once('end', () => response.end('up'));
      else if (url === '/early') void request.resume().once('data', () => response.end('early'));
      else response.end(url.endsWith('.tgz') ? ARCHIVE : 'outside');
    },
    ({ secure }) => ({
      cache: { maxBytes: 20_000_000, mirrors: [`localhost:${secure}`] },
      limits: { host: { bytesPerHour: 100_000_000 }, run: { requestsPerSecond: 100 } },
    }),
  );
  await rig.rule(...rules());
  await until('the policy', async () => (await rig.inside(`curl -sf ${to('/ready')}`)).code === 0);
});
after(async () => await rig?.[Symbol.asyncDispose]());

const rules = () => [
  `allow host=localhost:${rig.servers.secure} address=127.0.0.1`,
  `allow host=127.0.0.1:${rig.servers.plain}`,
];
const to = (place: string) => `https://localhost:${rig.servers.secure}${place}`;
const tarball = (name: string) => `/x/-/${name}-1.0.0.tgz`;
const times = (name: string) => asked.filter(({ url }) => url === tarball(name)).length;
const kept = () => readdirSync(rig.places.cache).filter((name) => !name.endsWith('.part'));
const digest = async (name: string, more = '') =>
  (await rig.inside(`curl -sS ${more} ${to(tarball(name))} | wc -c`)).output.trim();

test('an archive comes from outside once; a hit has its run, its rule and its mark in the record', async () => {
  assert.equal(await digest('left-pad'), String(ARCHIVE.length));
  await until('the file', () => kept().length === 1);
  assert.equal(await digest('left-pad'), String(ARCHIVE.length));
  assert.equal(times('left-pad'), 1);
  const marks = await until('the records', async () => {
    const found = (await rig.records()).filter(({ url }) => url === to(tarball('left-pad')));
    return found.length === 2 ? found : null;
  });
  assert.deepEqual(
    marks.map(({ cache, run, decision, bytesIn }) => [cache, run, decision, bytesIn]),
    [
      ['miss', '12-1', 'allowed', ARCHIVE.length],
      ['hit', '12-1', 'allowed', ARCHIVE.length],
    ],
  );
  await rig.rule(...rules(), 'deny host=localhost path=/x/**');
  const denied = await until('the policy', async () => {
    const { output } = await rig.inside(`curl -sS ${to(tarball('left-pad'))} | head -c 500 | tr -d '\\0'`);
    return output.includes('denies it');
  });
  assert.ok(denied);
  await rig.rule(...rules());
  await until('the policy', async () => (await digest('left-pad')) === String(ARCHIVE.length));
});

test('what is for one alone is not kept, and a spoilt file is not handed out', async () => {
  for (const more of ['-H "Authorization: Bearer x"', '-H "Cookie: a=b"']) {
    await digest('left-pad', more);
    await digest('private', more);
  }
  assert.equal(times('left-pad'), 3);
  await digest('own');
  await digest('own');
  assert.equal(times('own'), 2);
  const [file] = kept();
  const place = path.join(rig.places.cache, file!);
  const content = readFileSync(place);
  content[5] = content[5]! ^ 1;
  writeFileSync(place, content);
  const { output } = await rig.inside(`curl -sS ${to(tarball('left-pad'))} > /workspace/archive; echo done`);
  assert.equal(output, 'done\n');
  assert.ok(readFileSync(path.join(rig.sandbox.tree, 'archive')).equals(ARCHIVE));
  assert.equal(times('left-pad'), 4);
});

test('a proxy that is killed in the middle of a download leaves nothing half', async () => {
  await until('the file', () => kept().length === 1);
  const going = rig.inside(`curl -sS ${to(tarball('slow'))} > /workspace/half`);
  await until('the first part', () => readdirSync(rig.places.cache).some((name) => name.endsWith('.part')));
  const first = readProcess(rig.places.process)!;
  process.kill(first.pid, 'SIGKILL');
  assert.notEqual((await going).code, 0);
  slow?.destroy();
  await until('another process', () => readProcess(rig.places.process)?.pid !== first.pid);
  await until('the proxy', () => rig.proxy.trouble() === null);
  assert.equal(readdirSync(rig.places.cache).length, 1);
  await until('the way out', async () => (await digest('left-pad')) === String(ARCHIVE.length));
  assert.equal(times('left-pad'), 4);
});

test('a server whose certificate has expired, or is for another name, is not spoken to', async () => {
  const names = { expired: ['localhost', '127.0.0.1'], other: ['other.example'] };
  for (const [kind, hosts] of Object.entries(names)) {
    const now = kind === 'expired' ? new Date(Date.now() - 10 * 86_400_000) : new Date();
    const own = await makeServerCertificate(hosts, rig.servers.issuer, { now, days: 2 });
    let reached = 0;
    const server = https
      .createServer({ key: own.key, cert: own.certificate }, (_request, response) => {
        reached += 1;
        response.end('no');
      })
      .listen(0, '127.0.0.1');
    try {
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      await rig.rule(...rules(), `allow host=localhost:${port} address=127.0.0.1`);
      const { output } = await until('the policy', async () => {
        const tried = await rig.inside(`curl -sS -w '%{http_code}' https://localhost:${port}/`);
        return tried.output.endsWith('403') ? null : tried;
      });
      assert.match(output, /502$/);
      assert.match(output, kind === 'expired' ? /expired/i : /verify failed|mismatch/i);
      assert.equal(reached, 0);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  }
});

test('no line break in a header, an address or a body becomes a header or a request of its own', async () => {
  const identity = `Proxy-Authorization: Basic ${Buffer.from(`run:${rig.token}`).toString('base64')}`;
  const target = `127.0.0.1:${rig.servers.plain}`;
  const before = asked.length;
  const to = (header: string, place = '/crlf', body = '') =>
    `POST http://${target}${place} HTTP/1.1\r\nHost: ${target}\r\n${identity}\r\n${header}Connection: close\r\n\r\n${body}`;
  for (const text of [
    to('X: a\rInjected: b\r\n'),
    to('X: a\0b\r\n'),
    to('X: a\r\n Injected: b\r\n'),
    to('', '/crlf%0d%0aInjected:%20b'),
    to('Transfer-Encoding: chunked\r\n', '/crlf', 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n'),
    to('Transfer-Encoding:\x0bchunked\r\n', '/crlf', '0\r\n\r\n'),
    to('Content-Length: +5\r\n', '/crlf', 'hello'),
    to('Content-Length: 0\r\n', '/crlf', `GET http://${target}/smuggled HTTP/1.1\r\nHost: ${target}\r\n\r\n`),
  ]) {
    const socket = net.connect({ host: '127.0.0.1', port: rig.proxy.port });
    let came = '';
    socket.on('data', (chunk: Buffer) => (came += chunk.toString())).on('error', () => {});
    socket.write(text);
    await until('an answer', () => came.includes('\r\n\r\n') || socket.closed);
    socket.destroy();
    if (text.includes('X: a')) assert.match(came, /^HTTP\/1\.1 403[^]*or a header is malformed/);
  }
  for (const { url, headers } of asked.slice(before)) {
    assert.equal(url, '/crlf');
    assert.ok(!headers.some((each) => /^injected$/i.test(each)), JSON.stringify(headers));
  }
  assert.equal(asked.filter(({ url }) => url === '/smuggled').length, 0);
});

test('what is sent to a server that answers before it has read all is weighed to its end', async () => {
  const first = Buffer.alloc(100_000);
  const rest = Buffer.alloc(5_000_000);
  const target = `127.0.0.1:${rig.servers.plain}`;
  const identity = Buffer.from(`run:${rig.token}`).toString('base64');
  const socket = net.connect({ host: '127.0.0.1', port: rig.proxy.port });
  let came = '';
  socket.on('data', (chunk: Buffer) => (came += chunk.toString())).on('error', () => {});
  socket.write(
    `PUT http://${target}/early HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic ${identity}\r\n` +
      `Content-Length: ${first.length + rest.length}\r\n\r\n`,
  );
  socket.write(first);
  await until('the answer', () => came.endsWith('early'));
  socket.write(rest);
  const record = await until('its record', async () =>
    (await rig.records()).find(({ url }) => url?.endsWith('/early')),
  );
  socket.destroy();
  assert.equal(record.bytesOut, first.length + rest.length);
});

test('what is over a limit gets 429, is told when to come again, and reaches nobody', async () => {
  const big = `${to('/up')} -T - -o /dev/null -w '%{http_code}'`;
  assert.equal((await rig.inside(`head -c 110000000 /dev/zero | curl -sS ${big}`)).output, '200');
  const before = asked.length;
  const { output } = await rig.inside(`curl -sSi ${to('/more')}`);
  assert.match(output, /HTTP\/1\.1 429/);
  assert.match(output, /retry-after: \d+\r\n/i);
  assert.match(output, /the limit of bytes an hour of the host is reached\. Try again in \d+ s\./);
  assert.equal(asked.length, before);
  const record = await until('its record', async () =>
    (await rig.records()).find(({ limited }) => limited === 'host bytesPerHour'),
  );
  assert.equal(record.decision, 'refused');
  const other = await rig.inside(`curl -sS http://127.0.0.1:${rig.servers.plain}/other`);
  assert.equal(other.output, 'outside');
});
