import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { startFakeGitHub } from '../../../test/support/fake-github.ts';
import { github } from './github.ts';
import { recogniseKind } from './kinds.ts';
import { examplesOf } from './testing/github-deliveries.ts';
import { githubRig } from './testing/github-rig.ts';

test('GitHub is known by its host, and an Enterprise Server by what it answers without a credential', async () => {
  assert.equal((await recogniseKind('https://github.com')).name, 'github');
  assert.equal((await recogniseKind('https://octo.ghe.com')).name, 'github');
  await using fake = await startFakeGitHub();
  assert.equal((await recogniseKind(fake.url)).name, 'github');
  assert.ok(fake.requests.every((line) => line.startsWith('GET ')));
});

test('what may be pushed to is listed page by page, of one owner or of all', async () => {
  await using rig = await githubRig();
  const { fake, host } = rig;
  fake.state.pageMax = 2;
  for (const name of ['a', 'b', 'c']) await fake.addRepository(`acme/${name}`);
  await fake.addRepository('other/d');
  fake.find('acme/b').members.set('bot', 'read');
  fake.find('acme/c').archived = true;
  const all = await Array.fromAsync(host.list({}));
  assert.deepEqual(
    all.map(({ path }) => path),
    ['acme/shop', 'acme/a', 'acme/c', 'other/d'],
  );
  assert.deepEqual(all[2], {
    path: 'acme/c',
    cloneUrl: `${fake.url}/acme/c.git`,
    defaultBranch: 'main',
    archived: true,
    private: true,
  });
  const ofOne = await Array.fromAsync(host.list({ owner: 'Other' }));
  assert.deepEqual(
    ofOne.map(({ path }) => path),
    ['other/d'],
  );
  assert.equal(fake.requests.filter((line) => line.includes('/user/repos')).length, 6);
});

test('an App lists what its installations reach', async () => {
  await using rig = await githubRig();
  rig.asApp();
  await rig.fake.addRepository('other/d');
  const all = await Array.fromAsync(rig.host.list({}));
  assert.deepEqual(
    all.map(({ path }) => path),
    ['acme/shop'],
  );
  assert.deepEqual(await Array.fromAsync(rig.host.list({ owner: 'other' })), []);
});

test("GitHub's own example deliveries are read: those about pull requests and pushes, and no others", () => {
  const { webhook } = github;
  for (const event of ['pull_request', 'pull_request_review']) {
    for (const body of examplesOf(event)) {
      const { number, head } = body.pull_request;
      assert.partialDeepStrictEqual(webhook.read(event, body), { number, branch: head.ref }, event);
    }
  }
  const pushes = examplesOf('push').flatMap((body) => webhook.read('push', body) ?? []);
  assert.deepEqual(pushes[0], { path: 'Codertocat/Hello-World', pushed: 'master' });
  for (const event of ['check_suite', 'status', 'ping', 'issues'])
    for (const body of examplesOf(event)) assert.equal(webhook.read(event, body), undefined, event);
  assert.equal(webhook.read('pull_request', 'nonsense'), undefined);
});

test('a delivery is signed by HMAC-SHA256 over its bytes as they came', () => {
  const body = Buffer.from('{ "a":  1 }');
  const hex = createHmac('sha256', 'secret').update(body).digest('hex');
  const table: [string, string, Buffer, boolean][] = [
    [`sha256=${hex}`, 'secret', body, true],
    [`sha256=${hex}`, 'another', body, false],
    [`sha256=${hex}`, 'secret', Buffer.from('{ "a": 1 }'), false],
    [`sha1=${hex}`, 'secret', body, false],
    [`sha256=${hex.slice(2)}`, 'secret', body, false],
    ['', 'secret', body, false],
  ];
  for (const [signature, secret, bytes, signed] of table)
    assert.equal(github.webhook.isSigned(bytes, secret, signature), signed, signature);
});
