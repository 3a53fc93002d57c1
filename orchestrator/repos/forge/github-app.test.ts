import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { changeOf, githubRig, proposal } from './testing/github-rig.ts';

const made = (requests: string[]) => requests.filter((line) => line.endsWith('/access_tokens')).length;

test('an App gets one token for an owner, and another when it is about to end', async (t) => {
  await using rig = await githubRig();
  rig.asApp();
  await rig.fake.addRepository('acme/other');
  await rig.forge.check();
  await rig.host.repository('acme/other').check();
  const { username, password } = await rig.host.gitCredential('acme/shop');
  assert.equal(username, 'x-access-token');
  assert.match(password, /^ghs_/);
  assert.equal(made(rig.fake.requests), 1);
  const now = Date.now();
  t.mock.method(Date, 'now', () => now + 55 * 60_000);
  assert.notEqual((await rig.host.gitCredential('acme/shop')).password, password);
  assert.equal(made(rig.fake.requests), 2);
});

test('a token that is not accepted any more is renewed once, and the request made again', async () => {
  await using rig = await githubRig();
  rig.asApp();
  await rig.forge.check();
  const { password } = await rig.host.gitCredential('acme/shop');
  rig.fake.revoke(password);
  const commit = await rig.push('autocode/1-a', { 'a.txt': 'a\n' });
  const proposed = await rig.forge.propose(proposal('autocode/1-a', commit));
  assert.equal(rig.repository.pulls[0]?.author, 'autocode[bot]');
  assert.equal((await rig.forge.read([changeOf(proposed, 'autocode/1-a')]))[0]?.state, 'open');
  assert.equal(made(rig.fake.requests), 2);
});

test('a plain token that is not accepted is told at once, until another is given', async () => {
  await using rig = await githubRig();
  rig.fake.revoke(rig.fake.token);
  await assert.rejects(rig.forge.check(), {
    code: 'ERR_FORGE_DENIED',
    message: 'The forge work does not accept the token: Bad credentials',
    remedy: /--forge work --forge-token-file FILE/,
  });
  assert.equal(rig.fake.requests.length, 1);
  rig.credential.token = rig.fake.newToken('bot');
  await rig.forge.check();
});

test('an App that is not installed, lacks a permission, its id or its key says which', async () => {
  await using rig = await githubRig();
  rig.asApp({ contents: 'write', pull_requests: 'read', metadata: 'read' });
  await assert.rejects(rig.forge.check(), {
    code: 'ERR_FORGE_DENIED',
    message: 'On the forge work the App may not write to acme/shop: pull_requests, checks.',
  });
  await rig.fake.addRepository('other/shop');
  await assert.rejects(rig.host.repository('other/shop').check(), {
    code: 'ERR_FORGE_DENIED',
    message: /not installed on other\/shop/,
  });
  const { token } = rig.credential;
  Object.assign(rig.credential, { appId: null });
  await assert.rejects(rig.host.gitCredential('acme/shop'), { code: 'ERR_CONFIG', remedy: /--forge-app-id/ });
  const broken = token
    .replaceAll(/[A-Za-z0-9]{8}/g, 'AAAAAAAA')
    .replace(/^.*$/m, '-----BEGIN RSA PRIVATE KEY-----');
  Object.assign(rig.credential, { appId: '1', token: broken });
  await assert.rejects(rig.host.gitCredential('acme/shop'), (error: Error) => {
    assert.match(inspect(error, { depth: 10 }), /ERR_SECRET/);
    assert.doesNotMatch(inspect(error, { depth: 10 }), /AAAAAAAA/);
    return true;
  });
});

test('an App asks for the members of a team by the installation of its organisation, and goes on to repositories', async () => {
  await using rig = await githubRig();
  rig.asApp();
  rig.fake.state.members.set('acme/core', ['ann']);
  assert.deepEqual(await rig.host.members('acme/core'), ['ann']);
  await rig.forge.check();
  assert.equal(made(rig.fake.requests), 1, 'one token for both');
  await assert.rejects(rig.host.members('acme/gone'), { code: 'ERR_NOT_FOUND' });
});
