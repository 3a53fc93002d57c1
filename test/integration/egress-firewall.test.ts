// The firewall, the transparent listener and the resolver between a worker and the internet, as three network namespaces: the real
// nftables, mitmproxy and daemon on the appliance, real clients on the worker.
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { egressPlaces } from '../../orchestrator/egress/places.ts';
import { readProcess } from '../../orchestrator/egress/proxy-process.ts';
import { searchTraffic } from '../../orchestrator/egress/traffic/search.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { makeAuthority, makeServerCertificate } from '../../orchestrator/tls/certificate.ts';
import { MITMDUMP, npmDirectory, until } from '../support/egress-rig.ts';
import { packageSites } from '../support/package-sites.ts';
import {
  APPLIANCE,
  APPLIANCE_OUTSIDE,
  METADATA,
  openNetwork,
  OUTSIDE,
  OUTSIDE_V6,
  WORKER,
  type Seen,
} from './egress-firewall/network.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const NAMES = ['files.example.net', 'other.example.net', 'moving.example.net'];
const hosts = (moving = OUTSIDE) =>
  `${OUTSIDE} files.example.net other.example.net secret.example.net\n${moving} moving.example.net\n`;

// Asks for what is allowed, of a host without a rule, and by a method without one; says in its title what came of each.
const PAGE = `<script>Promise.allSettled([fetch('/ok/script'), fetch('https://secret.example.net/'), fetch('/ok/sent', { method: 'POST' })])
  .then((all) => document.title = all.map(({ status, value }) => value?.status ?? status).join(', '))</script>`;

let network: Awaited<ReturnType<typeof openNetwork>>;
const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-firewall-')));
const config = path.join(directory, 'autocode.yaml');
const places = egressPlaces(path.join(directory, 'data'));
let daemon: ReturnType<(typeof network)['start']>;

const autocode = async (words: string) =>
  await network.at(
    'appliance',
    `${process.execPath} ${ROOT}/orchestrator/cli/main.ts ${words} --config ${config}`,
  );

async function startDaemon(): Promise<void> {
  const main = path.join(ROOT, 'orchestrator/cli/main.ts');
  daemon = network.start('appliance', [process.execPath, main, 'up', '--quiet', '--config', config]);
  let said = '';
  for (const stream of [daemon.stdout!, daemon.stderr!])
    stream.on('data', (text: Buffer) => (said += text.toString()));
  await until('the daemon', () => {
    assert.equal(daemon.exitCode, null, said);
    return existsSync(path.join(directory, 'data/run/daemon.json')) && readProcess(places.process) !== null;
  });
  await until('its proxy', async () => {
    const { port } = readProcess(places.process)!;
    const asked = `curl -s -o /dev/null -w '%{http_code}' -x http://127.0.0.1:${port} http://proxy.autocode.internal/`;
    return (await network.at('appliance', asked)).output === '204';
  });
}

/** What a program of the worker trusts: the authority of the proxy. */
const trust = path.join(directory, 'egress-ca.pem');
const worker = async (command: string) =>
  await network.at('worker', command, {
    HOME: directory,
    CURL_CA_BUNDLE: trust,
    GIT_SSL_CAINFO: trust,
    NODE_EXTRA_CA_CERTS: trust,
    REQUESTS_CA_BUNDLE: trust,
    SSL_CERT_FILE: trust,
  });

// Tries all that a program might to get past the proxy; says which connections it got.
const PAST = `
  const net = require('node:net');
  const udp = { 4: require('node:dgram').createSocket('udp4'), 6: require('node:dgram').createSocket('udp6') };
  const name = Buffer.from('0001010000010000000000000573747261790765786d61706c650000010001', 'hex');
  const send = (family, port, host) => new Promise((done) => udp[family].send(name, port, host, done));
  const connect = (port, host) => new Promise((done) => {
    const socket = net.connect({ port, host, timeout: Number(process.argv[1]) });
    socket.on('connect', () => { console.log(host + ' ' + port); socket.destroy(); }).on('timeout', () => socket.destroy());
    socket.on('error', () => {}).on('close', done);
  });
  Promise.all([
    send(4, 443, '${OUTSIDE}'), send(4, 4500, '${OUTSIDE}'), send(6, 443, '${OUTSIDE_V6}'), send(6, 53, '${OUTSIDE_V6}'),
    connect(9999, '${OUTSIDE}'), connect(9999, '${OUTSIDE_V6}'), connect(80, '${OUTSIDE_V6}'), connect(80, '${METADATA}'),
    connect(22, '${APPLIANCE}'), connect(2222, '${APPLIANCE}'), connect(4012, '${APPLIANCE}'), connect(2222, '${APPLIANCE_OUTSIDE}'),
  ]).then(() => process.exit());
`;
// The same again and again, with an end that nobody sees.
const FLOOD = `
  const net = require('node:net');
  const udp = require('node:dgram').createSocket('udp4');
  setInterval(() => udp.send('past', 4500, '${OUTSIDE}'), 1);
  setInterval(() => net.connect(9999, '${OUTSIDE}').on('error', () => {}), 20);
  console.log('begun');
`;

async function tryToGetPast(patienceMs: number): Promise<{ connected: string[]; seen: Seen[] }> {
  const before = await network.mark();
  const { output } = await worker(`${process.execPath} -e '${PAST.replaceAll("'", `'"'"'`)}' ${patienceMs}`);
  return { connected: output.trim().split('\n').toSorted(), seen: await network.since(before) };
}

before(async () => {
  const outside = await makeAuthority('Outside', new Date());
  const issuer = { name: 'Outside', key: createPrivateKey(outside.key) };
  const own = await makeServerCertificate([...NAMES, OUTSIDE], issuer, { now: new Date(), days: 2 });
  const files = packageSites(directory, 'https://files.example.net');
  files.set('/simple/browser/', Buffer.from(PAGE));
  const settings = path.join(directory, 'internet.json');
  const encoded = Object.fromEntries(Array.from(files, ([place, file]) => [place, file.toString('base64')]));
  writeFileSync(settings, JSON.stringify({ key: own.key, cert: own.certificate, files: encoded }));
  writeFileSync(path.join(directory, 'outside.pem'), outside.certificate);
  writeFileSync(
    config,
    `dataDir: ${directory}/data
worker: { local: false }
tls: { names: ['${APPLIANCE}'] }
egress:
  proxy: true
  program: ${MITMDUMP}
  upstreamCa: ${directory}/outside.pem
  firewall: { interfaces: [wk0] }
`,
  );
  network = await openNetwork(hosts());
  await network.openInternet(settings);
  // Something on the appliance that is not for workers.
  network.start('appliance', ['socat', 'TCP-LISTEN:2222,fork,reuseaddr', 'EXEC:true']);
  await startDaemon();
  await autocode(`egress ca export --file ${trust}`);
});
after(async () => {
  await network?.close();
  rmSync(directory, { recursive: true, force: true });
});

test('a host that forwards lets a worker out; with the rules it does not, nor to its own ports', async () => {
  const open = await tryToGetPast(60_000);
  assert.deepEqual(
    open.connected,
    [
      `${APPLIANCE} 2222`,
      `${APPLIANCE} 4012`,
      `${APPLIANCE_OUTSIDE} 2222`,
      `${OUTSIDE} 9999`,
      `${METADATA} 80`,
      `${OUTSIDE_V6} 80`,
      `${OUTSIDE_V6} 9999`,
    ].toSorted(),
  );
  assert.deepEqual(open.seen.filter(({ at }) => at === 'udp').length, 3);
  const applied = await autocode('egress firewall apply');
  assert.equal(applied.code, 0, applied.errors);
  const closed = await tryToGetPast(1_000);
  assert.deepEqual(closed, { connected: [''], seen: [] });
});

/** Rules of the egress policy for whoever is no run, once the proxy has them. */
async function allow(...rules: string[]): Promise<void> {
  const { code, errors } = await autocode(
    `egress policy allow ${rules.map((rule) => `'${rule}'`).join(' ')}`,
  );
  assert.equal(code, 0, errors);
}
const records = async () => (await searchTraffic(places.spool, { limit: 1000 })).records;
/** Without what was counted. */
const inForce = async () =>
  (await network.at('appliance', 'nft -a list ruleset')).output.replaceAll(/packets \d+ bytes \d+/g, '');

test('applied anew while a worker tries, nothing slips past, and what may go out goes on', async () => {
  const before = await network.mark();
  await allow(
    'method=GET,HEAD host=files.example.net',
    'host=moving.example.net',
    `host=${OUTSIDE} path=/ok/ip`,
  );
  await until(
    'the policy',
    async () => (await worker('curl -sf https://files.example.net/ok/ready')).code === 0,
  );
  const flood = network.start('worker', [process.execPath, '-e', FLOOD]);
  await once(flood.stdout!, 'data');
  const through = worker(
    'for each in $(seq 40); do curl -sf https://files.example.net/ok/$each || exit 1; done',
  );
  assert.equal((await autocode('egress firewall apply')).code, 0);
  assert.equal((await autocode('egress firewall apply')).code, 0);
  assert.equal((await through).code, 0);
  flood.kill('SIGKILL');
  await once(flood, 'exit');
  assert.deepEqual(
    (await network.since(before)).filter(({ at }) => at !== 'web'),
    [],
  );
});

test('curl, git, npm and pip go out by the transparent path; the internet sees the appliance alone', async () => {
  const { output: token } = await autocode('token create vm-1 --role worker');
  const about = {
    protocol: PROTOCOL_VERSION,
    version: '1',
    host: 'h',
    capacity: 1,
    agents: [],
    isolations: [],
  };
  const api = `https://${APPLIANCE}:7443/api/v1/workers/vm-1`;
  const words = `-X PUT -H 'authorization: Bearer ${token.trim()}' -H 'content-type: application/json' -d '${JSON.stringify(about)}'`;
  const registered = await worker(`curl -sSf --cacert ${directory}/data/tls/authority.pem ${words} ${api}`);
  assert.equal(registered.code, 0, registered.errors);
  await until('the worker in records', async () => {
    await worker('curl -sf https://files.example.net/ok/known');
    return (await records()).some((record) => record.worker === 'vm-1');
  });
  const before = await network.mark();
  const npm = path.join(npmDirectory(), 'bin/npm-cli.js');
  const pip = `${path.dirname(MITMDUMP)}/python -m pip --isolated --disable-pip-version-check`;
  const { output, errors } = await worker(`set -e; cd ${directory}
    curl -sS -w ' %{http_code} %{remote_ip}\\n' https://files.example.net/ok/curl
    curl -sS -w ' %{http_code}\\n' http://files.example.net/ok/plain
    git clone -q https://files.example.net/git/tiny.git cloned && cat cloned/file
    mkdir app && cd app
    ${process.execPath} ${npm} install --silent --no-audit --no-fund --registry https://files.example.net/npm/ tiny
    cat node_modules/tiny/index.js
    ${pip} download -q --no-deps --index-url https://files.example.net/simple/ -d wheels tiny && ls wheels
    ${process.execPath} -e 'fetch("https://files.example.net/ok/node").then((it) => it.text()).then(console.log)'`);
  assert.equal(
    output,
    `outside 200 ${OUTSIDE}\noutside 200\nfrom git\nmodule.exports = "from npm";\ntiny-1.0-py3-none-any.whl\noutside\n`,
    errors,
  );
  const web = (await network.since(before)).filter(({ at }) => at === 'web');
  assert.ok(web.length > 8);
  assert.deepEqual(new Set(web.map(({ from }) => from)), new Set([APPLIANCE_OUTSIDE]));
  const curl = (await records()).find(({ url }) => url === 'https://files.example.net/ok/curl');
  assert.deepEqual(
    [curl?.listener, curl?.client, curl?.worker, curl?.address, curl?.decision, curl?.run, curl?.project],
    ['transparent', WORKER, 'vm-1', OUTSIDE, 'allowed', null, null],
  );
});

test('a browser goes out by the transparent path, on a machine that was told to trust the proxy', async () => {
  // What is installed on a machine goes into layers of the test's own, which end with the shell.
  const layers = ['/etc/ssl', '/etc/chromium', '/etc/profile.d', '/usr/local/share'].map(
    (at, index) => `mkdir -p ${directory}/layer-${index}/{upper,work}
      mount -t overlay overlay -o lowerdir=${at},upperdir=${directory}/layer-${index}/upper,workdir=${directory}/layer-${index}/work ${at}`,
  );
  const { output, errors } = await worker(`unshare --mount bash -c 'set -e
    ${layers.join('\n')}
    ${process.execPath} ${ROOT}/orchestrator/cli/main.ts egress ca install --certificate ${trust}
    chromium --headless --no-sandbox --disable-gpu --virtual-time-budget=30000 --dump-dom https://files.example.net/simple/browser/'`);
  assert.match(output, /browser +made +\/etc\/chromium\//, errors);
  assert.match(output, /<title>200, rejected, 403</, errors);
  const all = await records();
  const told = (url: string, method: string) =>
    all.find((each) => each.url === url && each.method === method);
  const script = told('https://files.example.net/ok/script', 'GET');
  assert.deepEqual([script?.listener, script?.decision, script?.worker], ['transparent', 'allowed', 'vm-1']);
  assert.equal(told('https://files.example.net/ok/sent', 'POST')?.decision, 'denied');
  assert.ok(all.some(({ listener, host }) => listener === 'resolver' && host === 'secret.example.net'));
});

test('a host that the policy passes is reached under its own certificate, and its record says that nobody looked', async () => {
  const pinned = `curl -sS --cacert ${directory}/outside.pem --capath /nowhere`;
  const file = path.join(directory, 'with-pass.rules');
  const { output: rules } = await autocode('egress policy show');
  writeFileSync(file, `${rules}\npass host=other.example.net\n`);
  const { code, errors } = await autocode(`egress policy set ${file}`);
  assert.equal(code, 0, errors);
  await until(
    'the policy',
    async () => (await worker(`${pinned} https://other.example.net/ok/pinned`)).output === 'outside',
  );
  assert.notEqual(
    (await worker(`${pinned} https://files.example.net/ok/pinned`)).code,
    0,
    'it is looked into',
  );
  const record = await until('its record', async () =>
    (await records()).find(({ tls, event }) => tls === 'passed' && event === 'close'),
  );
  assert.deepEqual(
    [record.listener, record.client, record.worker, record.host, record.address, record.url, record.rule],
    [
      'transparent',
      WORKER,
      'vm-1',
      'other.example.net',
      OUTSIDE,
      'https://other.example.net/',
      'pass host=other.example.net',
    ],
  );
  assert.ok((record.bytesIn ?? 0) > 0 && record.requestHeaders === null);
});

test('names without a rule are asked of nobody, those with one of the appliance alone', async () => {
  const before = await network.mark();
  const { output } = await worker(`
    curl -sS https://secret.example.net/ 2>&1
    curl -sS https://hidden-data.evil.example/ 2>&1
    ${process.execPath} -e 'const r = new (require("dns").promises.Resolver)();
      const ask = (server, type, name) => { r.setServers([server]); return r.resolve(name, type).catch((error) => error.code); };
      (async () => {
        for (const server of ["${APPLIANCE}", "${OUTSIDE}", "8.8.8.8"]) console.log(await ask(server, "A", "files.example.net"));
        console.log(await ask("${OUTSIDE}", "A", "hidden-data.evil.example"), await ask("${APPLIANCE}", "TXT", "files.example.net"));
      })()'`);
  assert.match(output, /^curl: .*secret\.example\.net\ncurl: .*hidden-data\.evil\.example\n/);
  assert.match(output, new RegExp(`(\\[ '${OUTSIDE}' \\]\n){3}EREFUSED ENODATA\n$`));
  assert.deepEqual(await network.since(before), []);
  const refused = (await records()).filter(({ listener }) => listener === 'resolver');
  assert.ok(
    refused.some(
      ({ host, allowedBy }) => host === 'secret.example.net' && allowedBy === `allow host=${host}`,
    ),
  );
});

test('the name decides, and where it leads; an address, another name or an odd spelling gains nothing', async () => {
  const before = await network.mark();
  const ask = async (words: string) => (await worker(`curl -sS -m 60 ${words}`)).output;
  const names = /its host, TLS server name and Host header are not the same/;
  assert.match(await ask(`-H 'Host: other.example.net' https://files.example.net/ok/fronted`), names);
  assert.match(await ask(`--insecure -H 'Host: files.example.net' https://${OUTSIDE}/ok/no-name`), names);
  assert.match(
    await ask(`--insecure https://${OUTSIDE}/ok/address`),
    /no rule of the egress policy allows it/,
  );
  assert.match(await ask(`http://${OUTSIDE}/ok/address`), /no rule of the egress policy allows it/);
  for (const odd of ['185999660', '013.026.041.054', '0xb16212c', 'user@files.example.net', '11.22.8492'])
    assert.match(await ask(`-H 'Host: ${odd}' http://${OUTSIDE}/ok/odd`), /is malformed/, odd);
  assert.match(
    await ask(`-X POST -d x https://files.example.net/ok/post`),
    /no rule of the egress policy allows it/,
  );
  assert.deepEqual(await network.since(before), []);
  assert.equal(await ask(`http://${OUTSIDE}/ok/ip`), 'outside');
  // The address that a client had meant for a name does not matter.
  assert.equal(
    await ask('--resolve files.example.net:443:11.22.33.45 https://files.example.net/ok/meant'),
    'outside',
  );
  const [meant] = (await network.since(before)).filter(({ url }) => url === '/ok/meant');
  assert.equal(meant?.to, OUTSIDE);
  const unnamed = (await records()).find(({ url }) => url === `https://${OUTSIDE}/ok/no-name`);
  assert.deepEqual(
    [unnamed?.listener, unnamed?.decision, unnamed?.reason],
    ['transparent', 'denied', 'names-differ'],
  );
});

test('a name that leads inside from now on is not followed there', async () => {
  assert.equal((await worker('curl -sS https://moving.example.net/ok/outside')).output, 'outside');
  network.setNames(hosts(APPLIANCE));
  const known = `--resolve moving.example.net:80:${OUTSIDE}`; // as a client that has looked it up before
  await until('the refusal', async () => {
    const { output } = await worker(`curl -sS ${known} http://moving.example.net/ok/inside`);
    return output.includes(`its address (${APPLIANCE}) is not public`);
  });
  network.setNames(hosts());
});

test('what is in force does not change with the daemon; without the proxy there is no way out', async () => {
  const before = await inForce();
  const proxy = readProcess(places.process)!;
  daemon.kill('SIGKILL');
  process.kill(proxy.pid, 'SIGKILL');
  await until(
    'the end of the proxy',
    async () => (await worker('curl -sS http://files.example.net/ok/dead')).code !== 0,
  );
  assert.deepEqual(await tryToGetPast(1_000), { connected: [''], seen: [] });
  assert.equal(
    (await worker(`curl -sS --resolve files.example.net:443:${OUTSIDE} https://files.example.net/ok/dead`))
      .code,
    7,
  );
  await startDaemon();
  assert.equal((await worker('curl -sS https://files.example.net/ok/again')).output, 'outside');
  assert.equal(await inForce(), before);
});
