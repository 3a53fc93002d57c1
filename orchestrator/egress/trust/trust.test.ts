// A machine that trusts the authority, tried with the system's own programs on a root directory of the test's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeAuthority } from '../../tls/certificate.ts';
import { installTrust } from './trust.ts';

const SYSTEM = '/usr/sbin:/usr/bin:/sbin:/bin';
// That of the system, or the one that the test server of the audit comes with.
const JAVA = [
  '/usr/bin',
  ...globSync('/usr/lib/jvm/*/bin'),
  ...globSync(path.resolve(import.meta.dirname, '../../../.runtime/servers/elasticsearch-*/java/bin')),
].find((folder) => existsSync(path.join(folder, 'keytool')));

async function machine(t: TestContext) {
  const root = mkdtempSync(path.join(tmpdir(), 'autocode-trust-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const folder of [
    'usr/local/share/ca-certificates',
    'usr/share/ca-certificates',
    'etc/ssl/certs',
    'etc/ca-certificates/update.d',
  ])
    mkdirSync(path.join(root, folder), { recursive: true });
  writeFileSync(path.join(root, 'etc/ca-certificates.conf'), 'other.crt\n');
  const other = (await makeAuthority('Other', new Date())).certificate;
  writeFileSync(path.join(root, 'usr/share/ca-certificates/other.crt'), other);
  const { certificate } = await makeAuthority('Autocode egress', new Date());
  const install = async (
    more: { remove?: boolean; dryRun?: boolean; certificate?: string; path?: string } = {},
  ) => {
    const steps = await installTrust({
      certificate,
      root,
      remove: false,
      dryRun: false,
      path: SYSTEM,
      ...more,
    });
    return Object.fromEntries(steps.map(({ what, state }) => [what, state]));
  };
  const read = (place: string) => readFileSync(path.join(root, place), 'utf8');
  return { root, certificate, other, install, read };
}

test('the system trusts it beside the others, programs with lists of their own are told; twice is once', async (t) => {
  const { root, certificate, other, install, read } = await machine(t);
  assert.equal((await install({ dryRun: true })).system, 'made');
  assert.equal(existsSync(path.join(root, 'etc/ssl/certs/ca-certificates.crt')), false);
  assert.equal(existsSync(path.join(root, 'etc/profile.d')), false);
  const first = await install();
  assert.deepEqual([first.system, first.environment], ['made', 'made']);
  const bundle = read('etc/ssl/certs/ca-certificates.crt');
  assert.ok(bundle.includes(certificate.trim()) && bundle.includes(other.trim()));
  const profile = read('etc/profile.d/autocode-egress.sh');
  assert.match(
    profile,
    /^export NODE_EXTRA_CA_CERTS=\/usr\/local\/share\/ca-certificates\/autocode-egress\.crt$/m,
  );
  assert.match(profile, /^export REQUESTS_CA_BUNDLE=\/etc\/ssl\/certs\/ca-certificates\.crt$/m);
  execFileSync('sh', ['-n', path.join(root, 'etc/profile.d/autocode-egress.sh')]);
  assert.ok(Object.values(await install()).every((state) => state === 'unchanged'));
});

test('another authority takes its place, also after an update that was killed; removed it leaves the others', async (t) => {
  const { root, certificate, other, install, read } = await machine(t);
  await install();
  writeFileSync(path.join(root, 'etc/ssl/certs/ca-certificates.crt'), '');
  const next = (await makeAuthority('Autocode egress', new Date())).certificate;
  assert.equal((await install({ certificate: next })).system, 'made');
  const bundle = read('etc/ssl/certs/ca-certificates.crt');
  assert.ok(bundle.includes(next.trim()) && !bundle.includes(certificate.trim()));
  assert.equal((await install({ remove: true, dryRun: true })).system, 'removed');
  assert.deepEqual((await install({ remove: true })).environment, 'removed');
  assert.equal(read('etc/ssl/certs/ca-certificates.crt').trim(), other.trim());
  assert.ok(Object.values(await install({ remove: true })).every((state) => state === 'unchanged'));
});

test('Java trusts a copy of its own list with it', async (t) => {
  const { root, install, read } = await machine(t);
  assert.ok(JAVA !== undefined, 'there is a Java');
  const at = { path: `${JAVA}:${SYSTEM}` };
  assert.equal((await install(at)).java, 'made');
  const file = path.join(root, 'usr/local/share/autocode-egress/cacerts');
  const list = execFileSync(
    path.join(JAVA, 'keytool'),
    ['-list', '-keystore', file, '-storepass', 'changeit'],
    { encoding: 'utf8' },
  );
  assert.match(list, /^autocode-egress, /m);
  assert.ok(list.split('\n').length > 50);
  assert.match(
    read('etc/profile.d/autocode-egress.sh'),
    /trustStore=\/usr\/local\/share\/autocode-egress\/cacerts/,
  );
  assert.equal((await install(at)).java, 'unchanged');
  assert.equal((await install({ ...at, remove: true })).java, 'removed');
  assert.equal(existsSync(file), false);
});

test('browsers that are installed are told by a policy beside those of others', async (t) => {
  const { root, certificate, install, read } = await machine(t);
  assert.equal('browser' in (await install()), false);
  mkdirSync(path.join(root, 'etc/chromium/policies/managed'), { recursive: true });
  writeFileSync(path.join(root, 'etc/chromium/policies/managed/other.json'), '{}');
  assert.equal((await install()).browser, 'made');
  const file = 'etc/chromium/policies/managed/autocode-egress.json';
  const { CACertificates } = JSON.parse(read(file)) as { CACertificates: string[] };
  const [told = ''] = CACertificates;
  assert.equal(new X509Certificate(Buffer.from(told, 'base64')).toString(), certificate);
  assert.equal((await install()).browser, 'unchanged');
  assert.equal((await install({ remove: true })).browser, 'removed');
  assert.equal(read('etc/chromium/policies/managed/other.json'), '{}');
});

test('a machine without a known store is told so', async (t) => {
  const { install } = await machine(t);
  await assert.rejects(install({ path: '/nowhere' }), { code: 'ERR_NOT_FOUND' });
});
