// The egress proxy as a sandbox meets it: the real mitmproxy with the add-ons, supervised, asked through the relay by real clients.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readProcess } from '../../orchestrator/egress/proxy-process.ts';
import { reportTraffic, searchTraffic } from '../../orchestrator/egress/traffic/search.ts';
import { egressRig, RUN, until } from '../support/egress-rig.ts';
import { packageSites } from '../support/package-sites.ts';

let rig: Awaited<ReturnType<typeof egressRig>>;
/** What servers outside were asked, and what they are to do. */
const asked: IncomingMessage[] = [];
const files = new Map<string, Buffer>();
let stream: ServerResponse | undefined;
const BOMB = gzipSync(Buffer.alloc(200 * 1024 * 1024));
const UPLOAD = 100_000_000;

const typeOf = (place: string) =>
  /^\/simple\/|\.html$/.test(place) ? 'text/html' : 'application/octet-stream';

function answer(request: IncomingMessage, response: ServerResponse): void {
  asked.push(request);
  const url = new URL(request.url ?? '/', 'http://outside');
  const file = files.get(url.pathname);
  if (file !== undefined) return void response.setHeader('content-type', typeOf(url.pathname)).end(file);
  if (url.pathname === '/stream') {
    stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
    stream.write('data: 1\n\n');
  } else if (url.pathname === '/bomb') {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(BOMB);
  } else if (request.method === 'PUT') {
    let bytes = 0;
    request
      .on('data', (chunk: Buffer) => (bytes += chunk.length))
      .on('end', () => response.end(String(bytes)));
  } else if (url.pathname.startsWith('/ok')) {
    response.end('outside');
  } else {
    response.writeHead(404).end('no such thing');
  }
}

before(async () => {
  rig = await egressRig(answer);
  await rig.allow(
    `host=localhost:${rig.servers.secure} address=127.0.0.1`,
    `host=127.0.0.1:${rig.servers.plain} path=/ok/**`,
    `method=PUT host=127.0.0.1:${rig.servers.plain}`,
  );
  await until('the policy', async () => (await rig.inside(`curl -sf ${plain('/ok/ready')}`)).code === 0);
});
after(async () => await rig[Symbol.asyncDispose]());

const secure = (place: string) => `https://localhost:${rig.servers.secure}${place}`;
const plain = (place: string) => `http://127.0.0.1:${rig.servers.plain}${place}`;

test('curl, git, npm, pip and Node go out by the proxy, trust it, and are recorded with their run', async () => {
  for (const [place, file] of packageSites(rig.directory, secure(''))) files.set(place, file);
  const { output, errors } = await rig.inside(`
    curl -sS --http2 -w ' %{http_code}\n' ${secure('/ok/curl')}
    cd /tmp && git clone -q ${secure('/git/tiny.git')} && cat tiny/file
    mkdir app && cd app && node /opt/autocode/agents/npm/bin/npm-cli.js install --silent --no-audit --no-fund --registry ${secure('/npm/')} tiny && cat node_modules/tiny/index.js
    PYTHONPATH=/opt/autocode/agents /usr/bin/python3 -m pip --isolated --disable-pip-version-check download -q --no-deps --index-url ${secure('/simple/')} -d /tmp/wheels tiny && ls /tmp/wheels
    /opt/autocode/node/node -e 'fetch("${secure('/ok/node')}").then((it) => it.text()).then(console.log)'
  `);
  assert.equal(
    output,
    'outside 200\nfrom git\nmodule.exports = "from npm";\ntiny-1.0-py3-none-any.whl\noutside\n',
    errors,
  );
  const records = await rig.records();
  assert.ok(records.length > 8);
  assert.ok(records.every(({ run, project }) => run === RUN && project === 'shop'));
  const curl = records.find(({ url }) => url === secure('/ok/curl'));
  assert.equal(curl?.decision, 'allowed');
  assert.equal(curl?.address, '127.0.0.1');
  assert.equal(curl?.bytesIn, 7);
  assert.equal(curl?.rule, `allow host=localhost:${rig.servers.secure} address=127.0.0.1`);
  assert.ok(asked.every(({ headers }) => headers['proxy-authorization'] === undefined));
  const { groups } = await reportTraffic(rig.places.spool, { run: RUN }, 'host');
  assert.deepEqual(new Set(groups.map(({ name }) => name)), new Set(['127.0.0.1', 'localhost']));
});

test('what is refused says the rule that would allow it, over TLS too, and reaches nobody', async () => {
  const before = asked.length;
  const refused = await rig.inside(
    `curl -sS ${plain('/secret?x=1')}; curl -sS https://127.0.0.1:${rig.servers.secure}/x`,
  );
  assert.match(
    refused.output,
    /\/secret was refused: no rule of the egress policy allows it\.\nA person may allow it: autocode egress policy allow 'method=GET,HEAD host=127\.0\.0\.1:\d+ path=\/secret' --project shop\n/,
  );
  assert.match(refused.output, /GET https:\/\/127\.0\.0\.1:\d+\/x was refused/);
  const fronted = await rig.inside(`curl -sS -H 'Host: other.example' ${secure('/ok/x')}`);
  assert.match(fronted.output, /host, TLS server name and Host header are not the same/);
  const header = await rig.inside(`curl -sS -w '%{http_code}' ${plain('/ok/%2e%2e/secret')}`);
  assert.match(header.output, /malformed/);
  assert.equal(asked.length, before);
  const { records } = await searchTraffic(rig.places.spool, { decision: 'denied', limit: 10 });
  assert.equal(records.length, 4);
  assert.ok(records.some(({ allowedBy }) => allowedBy?.endsWith('path=/secret')));
});

test('there is no other way out beside it, and none for what is not HTTP', async () => {
  const before = rig.servers.connections();
  const { output } = await rig.inside(`
    curl -s --noproxy '*' -m 2 ${plain('/ok/direct')} || echo closed
    perl -MSocket -e 'socket(S, AF_INET, SOCK_DGRAM, 0); print send(S, "x", 0, pack_sockaddr_in(53, inet_aton("8.8.8.8"))) ? "sent\n" : "closed\n"'
    printf 'CONNECT localhost:${rig.servers.secure} HTTP/1.1\r\nHost: x\r\n\r\nSSH-2.0-OpenSSH\r\n\r\n' | timeout 20 perl -MIO::Socket::INET -e '$| = 1; $s = IO::Socket::INET->new("127.0.0.1:4011"); print $s <STDIN>; print scalar <$s>; 1 while <$s>'
    ls /run`);
  assert.match(output, /^closed\nclosed\nHTTP\/1\.1 200 Connection established\r\negress\.sock\n$/);
  assert.equal(rig.servers.connections(), before);
});

test('answers are handed on as they come', async () => {
  const reading = rig.inside(
    `curl -sSN ${secure('/stream')} | while read -r line; do echo "$line" >> /workspace/came; done`,
  );
  const came = () => {
    try {
      return readFileSync(path.join(rig.sandbox.tree, 'came'), 'utf8').includes('data: 1');
    } catch {
      return false;
    }
  };
  await until('the first event', came); // the second is not sent before
  stream?.end('data: 2\n\n');
  await reading;
  assert.match(readFileSync(path.join(rig.sandbox.tree, 'came'), 'utf8'), /data: 1\n\ndata: 2/);
});

test('large bodies take no memory, and what is packed stays packed', async () => {
  const { pid } = readProcess(rig.places.process)!;
  const memory = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  const before = memory();
  const { output } = await rig.inside(`
    head -c ${UPLOAD} /dev/zero | curl -sS -T - ${secure('/up')}; echo
    head -c ${UPLOAD} /dev/zero | curl -sS -H 'Transfer-Encoding: chunked' -T - ${plain('/up')}; echo
    curl -sS ${secure('/bomb')} | wc -c`);
  assert.equal(output, `${UPLOAD}\n${UPLOAD}\n${BOMB.length}\n`);
  assert.ok(memory() - before < 60_000, `${before} → ${memory()} kB`);
  const records = await rig.records();
  assert.deepEqual(
    records.filter(({ url }) => url?.endsWith('/up')).map(({ bytesOut }) => bytesOut),
    [UPLOAD, UPLOAD],
  );
});

test('a secret in a header or an address is in no record', async () => {
  await rig.inside(
    `curl -sS -H 'Authorization: Bearer hush-hush' -H 'X-Own: hush-hush' '${secure('/ok/secret?token=hush-hush')}'`,
  );
  assert.equal(asked.at(-1)?.headers.authorization, 'Bearer hush-hush');
  await until('its record', async () => (await rig.records()).some(({ url }) => url?.includes('/ok/secret')));
  for (const name of readdirSync(rig.places.spool))
    assert.doesNotMatch(readFileSync(path.join(rig.places.spool, name), 'utf8'), /hush-hush/);
});

/** Bytes straight to the proxy, and all that comes back. */
async function raw(text: string): Promise<string> {
  const socket = net.connect({ host: '127.0.0.1', port: rig.proxy.port });
  let all = '';
  socket.on('data', (chunk: Buffer) => (all += chunk.toString())).on('error', () => {});
  socket.write(text);
  await Promise.race([once(socket, 'close'), until('an answer', () => all.includes('\r\n\r\n'))]);
  socket.destroy();
  return all;
}

test('requests that servers read in different ways reach nobody', async () => {
  const before = asked.length;
  const identity = `Proxy-Authorization: Basic ${Buffer.from(`run:${rig.token}`).toString('base64')}`;
  const to = (rest: string, target = plain('/ok/odd')) =>
    `POST ${target} HTTP/1.1\r\nHost: 127.0.0.1:${rig.servers.plain}\r\n${identity}\r\n${rest}`;
  for (const text of [
    to('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    to('Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'),
    to('Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello'),
    to('X : y\r\n\r\n'),
    to('\r\n', `http://user@127.0.0.1:${rig.servers.plain}/ok/x`),
    to('\r\n', `http://2130706433:${rig.servers.plain}/ok/x`),
    to('\r\n', `http://0177.0.0.1:${rig.servers.plain}/ok/x`),
  ])
    assert.match(await raw(text), /^(HTTP\/1\.1 (400|403|502)|$)/, text);
  assert.equal(asked.length, before);
});

test('without an identity, with a wrong one or with that of a run that has ended there is no way out', async () => {
  const before = asked.length;
  const ask = async (token: string) =>
    await new Promise<number | undefined>((resolve, reject) => {
      const headers = {
        host: new URL(plain('/')).host,
        'proxy-authorization': `Basic ${Buffer.from(`run:${token}`).toString('base64')}`,
      };
      http
        .get(
          { host: '127.0.0.1', port: rig.proxy.port, path: plain('/ok/who'), headers, agent: false },
          (it) => {
            it.resume();
            resolve(it.statusCode);
          },
        )
        .on('error', reject);
    });
  assert.equal(await ask(rig.token), 200);
  assert.equal(await ask('ac_egress_wrong'), 407);
  assert.match(
    await raw(`CONNECT localhost:${rig.servers.secure} HTTP/1.1\r\nHost: x\r\n\r\n`),
    /^HTTP\/1\.1 407/,
  );
  const own = await rig.inside(`curl -sS -x http://run:ac_egress_wrong@127.0.0.1:4011 ${secure('/ok/own')}`);
  assert.equal(own.output, 'outside'); // the relay's counts
  await rig.live();
  const ended = await until('the end', async () => {
    const { output } = await rig.inside(`curl -sS ${plain('/ok/ended')}`);
    return output === 'outside' ? null : output;
  });
  assert.equal(ended, 'Egress refused: no run that lives has this identity.\n');
  await rig.live(rig.token);
  assert.equal(asked.filter(({ url }) => url?.includes('who')).length, 1);
  assert.ok(asked.length > before);
});

test('without room for its record nothing is let out; with room again it is', async () => {
  const hog = path.join(rig.places.spool, '2001-01-01T00.jsonl');
  writeFileSync(hog, Buffer.alloc(8 * 1024 * 1024, '\n'));
  const full = await until('a refusal', async () => {
    const { output } = await rig.inside(`curl -sS -w '%{http_code}' ${secure('/ok/full')}`);
    return output.endsWith('507') ? output : null;
  });
  assert.match(full, /the spool for traffic is full/);
  rmSync(hog);
  await until('room', async () => (await rig.inside(`curl -sf ${secure('/ok/room')}`)).code === 0);
});

test('a proxy that is killed is started again; meanwhile there is no way out', async () => {
  const first = readProcess(rig.places.process)!;
  process.kill(first.pid, 'SIGKILL');
  const { output } = await rig.inside(`curl -sS ${plain('/ok/away')}`);
  assert.match(output, /^(The egress proxy cannot be reached: .*\n|outside)$/);
  await until('another process', () => readProcess(rig.places.process)?.pid !== first.pid);
  await until('the proxy', () => rig.proxy.trouble() === null);
  assert.equal(readProcess(rig.places.process)?.port, first.port);
  assert.equal((await rig.inside(`curl -sS ${secure('/ok/back')}`)).output, 'outside');
});

// The last: a browser asks for things of its own besides.
test('a browser goes out by the proxy and trusts it; what is refused it, as others, is in the records', async () => {
  const refused = `https://127.0.0.1:${rig.servers.secure}/refused`;
  const page = `<script>Promise.allSettled(['/ok/browser', '${refused}'].map(async (at) => (await fetch(at)).text()))
    .then((all) => document.title = all.map(({ status, value }) => value ?? status).join(', '))</script>`;
  files.set('/page.html', Buffer.from(page));
  const { output, errors } = await rig.inside(
    `NO_PROXY='<-loopback>' no_proxy='<-loopback>' chromium --headless --no-sandbox --disable-gpu --virtual-time-budget=30000 --dump-dom ${secure('/page.html')}`,
  );
  assert.match(output, /<title>outside, rejected</, errors);
  const { records } = await searchTraffic(rig.places.spool, { limit: 1000 });
  const [denied] = records.filter(({ url }) => url === refused);
  assert.deepEqual([denied?.decision, denied?.run], ['denied', RUN]);
});
