import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ownIdentity, rotate } from './authority.ts';
import { fingerprintOf, identityOf, namesOf } from './identity.ts';

const root = mkdtempSync(join(tmpdir(), 'autocode-tls-'));
after(() => rmSync(root, { recursive: true }));
const NAMES = ['orchestrator.lan', '10.0.0.5', 'fd00::5'];
const NOW = new Date('2026-11-20T12:00:00Z');
const later = (days: number) => new Date(NOW.getTime() + days * 86_400_000);

function directory(): string {
  return mkdtempSync(join(root, 'd-'));
}

test('the first start makes an authority and a certificate for all names; the next ones keep both', async () => {
  const path = directory();
  const made = await ownIdentity(path, NAMES, NOW);
  const server = new X509Certificate(made.certificate);
  const authority = new X509Certificate(made.authority);
  assert.ok(authority.ca && server.verify(authority.publicKey) && server.checkIssued(authority));
  assert.equal(server.checkHost('orchestrator.lan'), 'orchestrator.lan');
  assert.ok(server.checkIP('10.0.0.5') && server.checkIP('fd00::5'));
  assert.equal(server.checkHost('elsewhere'), undefined);
  assert.deepEqual(await ownIdentity(path, NAMES, later(50)), made);
  for (const file of ['authority.pem', 'server.pem'])
    assert.equal(statSync(join(path, file)).mode & 0o777, 0o600, file);
  assert.equal(readFileSync(join(path, 'ca.crt'), 'utf8'), made.authority);
});

test('a certificate is renewed a month before it ends, and when it lacks a name; the authority stays', async () => {
  const path = directory();
  const made = await ownIdentity(path, NAMES, NOW);
  const renewed = await ownIdentity(path, NAMES, later(61));
  assert.notEqual(renewed.certificate, made.certificate);
  assert.equal(renewed.authority, made.authority);
  const wider = await ownIdentity(path, [...NAMES, 'more.lan'], later(61));
  assert.equal(new X509Certificate(wider.certificate).checkHost('more.lan'), 'more.lan');
  assert.equal(wider.authority, made.authority);
});

test('several processes that begin at once come to one identity', async () => {
  const path = directory();
  const all = await Promise.all([1, 2, 3, 4].map(async () => await ownIdentity(path, NAMES, NOW)));
  assert.equal(new Set(all.map(({ certificate }) => certificate)).size, 1);
});

test('rotate makes a new certificate, and a new authority when asked', async () => {
  const path = directory();
  const made = await ownIdentity(path, NAMES, NOW);
  const rotated = await rotate(path, NAMES, { now: NOW, authority: false });
  assert.notEqual(rotated.certificate, made.certificate);
  assert.equal(rotated.authority, made.authority);
  const anew = await rotate(path, NAMES, { now: NOW, authority: true });
  assert.notEqual(fingerprintOf(anew.authority), fingerprintOf(made.authority));
  assert.deepEqual(await ownIdentity(path, NAMES, NOW), anew);
});

test('an authority without its certificate for the server, as a kill leaves it, is gone on with', async () => {
  const path = directory();
  const made = await ownIdentity(path, NAMES, NOW);
  rmSync(join(path, 'server.pem'));
  rmSync(join(path, 'ca.crt'));
  const again = await ownIdentity(path, NAMES, NOW);
  assert.equal(again.authority, made.authority);
  assert.equal(readFileSync(join(path, 'ca.crt'), 'utf8'), made.authority);
});

test("a certificate of the user's own is taken as it is; one that does not fit its key is told", async () => {
  const path = directory();
  const own = await ownIdentity(path, NAMES, NOW);
  const other = await ownIdentity(directory(), NAMES, NOW);
  const file = (name: string, content: string) => {
    writeFileSync(join(path, name), content);
    return join(path, name);
  };
  const settings = {
    host: '0.0.0.0',
    port: 1,
    gatewayPort: 2,
    names: [],
    certFile: file('c.pem', own.certificate),
    keyFile: file('k.pem', own.key),
    caFile: file('a.pem', own.authority),
  };
  assert.deepEqual(await identityOf(path, settings, NOW), own);
  const refused = async (more: object, words: RegExp) =>
    await assert.rejects(async () => await identityOf(path, { ...settings, ...more }, NOW), words);
  await refused({ keyFile: file('o.pem', other.key) }, /is not that of the certificate/);
  await refused({ caFile: settings.certFile }, /is no authority/);
  await refused({ caFile: file('two.pem', own.authority + other.authority) }, /has to hold one certificate/);
  await refused({ certFile: join(path, 'none.pem') }, /tls\.certFile cannot be read: ENOENT/);
});

test('the names are the configured ones first, then the address that is listened on and the host', () => {
  const [first, second] = namesOf({ host: '10.0.0.5', names: ['autocode.lan'] });
  assert.deepEqual([first, second], ['autocode.lan', '10.0.0.5']);
  assert.ok(namesOf({ host: '0.0.0.0', names: [] }).includes('127.0.0.1'));
});
