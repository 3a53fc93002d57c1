import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { pushBranch, remoteBranch } from './push.ts';
import { workshop } from './testing/workshop.ts';

test('a branch is only replaced where it is what was expected', async () => {
  using shop = workshop();
  const { git } = shop.store;
  const origin = shop.bare('b.git');
  const mirror = `${shop.workingCopy('w', { 'a.txt': 'a' })}/.git`;
  const commit = shop.git('w', 'rev-parse', 'HEAD');
  const push = { mirror, origin, branch: 'b', commit };
  assert.equal(await remoteBranch(git, origin, 'b'), undefined);
  assert.deepEqual(await pushBranch(git, { ...push, expected: commit }), { answer: 'stale' });
  assert.deepEqual(await pushBranch(git, { ...push, expected: undefined }), { answer: 'pushed' });
  assert.equal(await remoteBranch(git, origin, 'b'), commit);
  shop.git('w', 'commit', '--quiet', '--amend', '--message', 'other');
  const other = { ...push, commit: shop.git('w', 'rev-parse', 'HEAD') };
  assert.deepEqual(await pushBranch(git, { ...other, expected: undefined }), { answer: 'stale' });
  assert.deepEqual(await pushBranch(git, { ...other, expected: commit }), { answer: 'pushed' });
});

test('a forge without rights for us refuses; one that breaks down may be tried again', async () => {
  using shop = workshop();
  const { git } = shop.store;
  const mirror = `${shop.workingCopy('w')}/.git`;
  const commit = shop.git('w', 'rev-parse', 'HEAD');
  let status = 0;
  const server = createServer(
    (_request, response) =>
      void response.writeHead(status, status === 401 ? { 'www-authenticate': 'Basic' } : {}).end('no'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.git`;
    const push = { mirror, origin, branch: 'b', commit, expected: undefined };
    for (status of [401, 403, 404]) {
      const answer = await pushBranch(git, push);
      assert.equal(answer.answer, 'refused', String(status));
    }
    for (status of [500, 503])
      await assert.rejects(pushBranch(git, push), { code: 'ERR_REPOSITORY_UNREACHABLE' }, String(status));
  } finally {
    server.close();
    await once(server, 'close');
  }
});
