import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
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

test('two pushes of one branch at once: the slower one may be tried again', async () => {
  using shop = workshop();
  const { git } = shop.store;
  const origin = shop.bare('b.git');
  const mirror = `${shop.workingCopy('w', { 'a.txt': 'a' })}/.git`;
  const push = {
    mirror,
    origin,
    branch: 'b',
    commit: shop.git('w', 'rev-parse', 'HEAD'),
    expected: undefined,
  };
  // Each is past the look at the branch, and goes on when both are.
  const hook = join(origin, 'hooks/pre-receive');
  const both = `touch "$GIT_DIR/begun.$$"; while test "$(ls "$GIT_DIR" | grep -c begun)" -lt 2; do sleep 0.02; done`;
  writeFileSync(hook, `#!/bin/sh\n${both}\n`);
  chmodSync(hook, 0o755);
  const ends = await Promise.allSettled([pushBranch(git, push), pushBranch(git, push)]);
  const refusal = ends.find((end) => end.status === 'rejected');
  assert.equal((refusal?.reason as { code: string } | undefined)?.code, 'ERR_REPOSITORY_UNREACHABLE');
  assert.deepEqual(ends.find((end) => end.status === 'fulfilled')?.value, { answer: 'pushed' });
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
