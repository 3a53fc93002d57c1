// Hosts that are passed unseen, at the real proxy: a client that trusts only the server's own certificate.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { egressRig, RUN, until } from '../support/egress-rig.ts';

let rig: Awaited<ReturnType<typeof egressRig>>;
let asked = 0;

before(async () => {
  rig = await egressRig((request, response) => {
    asked += 1;
    response.end(`outside ${request.url}`);
  });
  copyFileSync(rig.servers.trust, path.join(rig.sandbox.tree, 'pinned.pem'));
});
after(async () => await rig?.[Symbol.asyncDispose]());

const PINNED = 'curl -sS --cacert /workspace/pinned.pem --capath /nowhere';
const to = (place: string, host = 'localhost') => `https://${host}:${rig.servers.secure}${place}`;
const rule = (more = '') => `pass host=localhost:${rig.servers.secure} address=127.0.0.1${more}`;

test('a passed host is reached under its own certificate; its record tells bytes and time, and nothing of what went on', async () => {
  await rig.rule(rule());
  const { output } = await until('the policy', async () => {
    const tried = await rig.inside(`${PINNED} ${to('/hidden')}`);
    return tried.code === 0 ? tried : null;
  });
  assert.equal(output, 'outside /hidden');
  const record = await until('its record', async () =>
    (await rig.records()).find(({ tls, bytesIn }) => tls === 'passed' && (bytesIn ?? 0) > 0),
  );
  assert.equal(record.run, RUN);
  assert.equal(record.rule, rule());
  assert.equal(record.address, '127.0.0.1');
  assert.equal(record.url, to('/'));
  assert.ok((record.bytesOut ?? 0) > 100 && record.durationMs !== null);
  assert.equal(record.requestHeaders, null);
});

test('what is passed is looked into under another name, and where a part of it is denied', async () => {
  const before = asked;
  const other = await rig.inside(
    `curl -sS --connect-to x.example:443:localhost:${rig.servers.secure} https://x.example/; ` +
      `${PINNED} --connect-to x.example:443:localhost:${rig.servers.secure} https://x.example/ || echo untrusted`,
  );
  assert.match(other.output, /was refused/);
  assert.match(other.output, /untrusted/);
  assert.equal(asked, before);
  await rig.rule(
    rule(),
    `allow host=localhost:${rig.servers.secure} address=127.0.0.1`,
    'deny host=localhost path=/admin/**',
  );
  await until('the policy', async () => (await rig.inside(`curl -sSf ${to('/seen')}`)).code === 0);
  const { output } = await rig.inside(`curl -sS ${to('/admin/x')}; curl -sS ${to('/seen')}`);
  assert.match(output, /the rule `deny host=localhost path=\/admin\/\*\*` denies it/);
  assert.match(output, /outside \/seen$/);
  assert.ok((await rig.records()).some(({ url, tls }) => url === to('/seen') && tls !== 'passed'));
});

test('nothing more goes through for a run that has ended, and its connection is closed', async () => {
  await rig.rule(rule());
  await until('the policy', async () => (await rig.inside(`${PINNED} -f ${to('/again')}`)).code === 0);
  const program = `
    const tls = require('node:tls'), net = require('node:net'), fs = require('node:fs');
    const wire = net.connect(4011, '127.0.0.1', () => wire.write('CONNECT localhost:${rig.servers.secure} HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n'));
    const ask = (on, name) => on.write('GET /' + name + ' HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n');
    wire.once('data', () => {
      const secure = tls.connect({ socket: wire, servername: 'localhost', ca: fs.readFileSync('/workspace/pinned.pem') }, () => ask(secure, 'first'));
      secure.once('data', () => {
        fs.writeFileSync('/workspace/first', '');
        setInterval(() => fs.existsSync('/workspace/ended') && (ask(secure, 'late'), fs.writeFileSync('/workspace/sent', '')), 50);
      });
      secure.on('error', () => {}).once('close', () => process.exit(7));
    });`;
  const going = rig.inside(`node -e '${program.replaceAll("'", '"')}'`);
  const there = (name: string) => rig.inside(`test -e /workspace/${name}`).then(({ code }) => code === 0);
  await until('the first answer', async () => await there('first'));
  await rig.live();
  await until('that it is known', async () =>
    (await rig.inside(`curl -sS http://127.0.0.1:1/`)).output.includes('no run that lives'),
  );
  const before = asked;
  await rig.inside('touch /workspace/ended');
  await until('the second question', async () => await there('sent'));
  assert.equal((await going).code, 7);
  assert.equal(asked, before);
  await rig.live(rig.token);
  const record = await until('its record', async () =>
    (await rig.records()).find(({ error }) => error === 'the run has ended'),
  );
  assert.equal(record.tls, 'passed');
});
