// What the conformance suite of forges asks, of the forge that is a plain repository: it has no pull requests, so what is
// left are merges, and looks at the branches. Where changes are kept with it is tested in repos/merge.test.ts.
import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { localForge } from '../../orchestrator/repos/forge/local.ts';
import type { ChangeAtOrigin } from '../../orchestrator/repos/changes.ts';
import { AUTHOR, workshop } from '../../orchestrator/repos/testing/workshop.ts';

/** A bare repository with a branch `autocode/1` of two commits, and a person's clone of it. */
function openShop(t: { after(end: () => void): void }) {
  const shop = workshop();
  t.after(() => shop[Symbol.dispose]());
  const origin = shop.bare('b.git');
  shop.git('.', 'clone', '--quiet', 'b.git', 'clone');
  const commit = (branch: string, files: Record<string, string>) => {
    shop.git('clone', 'fetch', '--quiet');
    shop.git('clone', 'checkout', '--quiet', '--detach', `origin/${branch}`);
    shop.write('clone', files);
    shop.git('clone', 'add', '--all');
    shop.git('clone', 'commit', '--quiet', '--message', Object.keys(files).join(', '));
    shop.git('clone', 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
    return shop.git('clone', 'rev-parse', 'HEAD');
  };
  shop.git('clone', 'push', '--quiet', 'origin', 'HEAD:refs/heads/autocode/1');
  commit('autocode/1', { 'a.txt': 'a\n' });
  const headCommit = commit('autocode/1', { 'b.txt': 'b\n' });
  const change = {
    id: 1,
    title: 'Fix the sum',
    branch: 'autocode/1',
    baseBranch: 'main',
    headCommit,
    repository: { id: 1, origin, forge: 'local' },
  } as ChangeAtOrigin;
  const shape = (branch: string) => ({
    commits: Number(shop.git('b.git', 'rev-list', '--count', branch)),
    parents: shop.git('b.git', 'log', '-1', '--format=%p', branch).split(' ').length,
  });
  return { shop, origin, commit, change, shape, forge: localForge(shop.store, AUTHOR) };
}

test('a change is merged by each method, once; only a rebase that is more than a step forward is refused', async (t) => {
  const table = [
    ['merge', true, { commits: 5, parents: 2 }],
    ['squash', true, { commits: 3, parents: 1 }],
    ['squash', false, { commits: 2, parents: 1 }],
    ['rebase', false, { commits: 3, parents: 1 }],
    [null, true, { commits: 5, parents: 2 }],
    [null, false, { commits: 3, parents: 1 }],
  ] as const;
  for (const [method, isMoved, expected] of table) {
    const { forge, change, commit, shape } = openShop(t);
    if (isMoved) commit('main', { 'c.txt': 'c\n' });
    await forge.merge(change, method);
    await forge.merge(change, method);
    assert.deepEqual(shape('main'), expected, `${method}, ${isMoved ? 'moved' : 'as it was'}`);
    assert.equal((await forge.read([change]))[0]?.state, 'merged');
  }
  const { forge, change, commit, shape } = openShop(t);
  commit('main', { 'c.txt': 'c\n' });
  await assert.rejects(forge.merge(change, 'rebase'), {
    code: 'ERR_FORGE_REFUSED',
    remedy: /--merge-method squash/,
  });
  assert.deepEqual(shape('main'), { commits: 2, parents: 1 });
});

test('what a person pushed to the branch, or merged, is seen', async (t) => {
  const { forge, change, commit, shop } = openShop(t);
  const head = commit('autocode/1', { 'more.txt': 'm\n' });
  assert.deepEqual(
    (await forge.read([change])).map((one) => [one.state, one.head]),
    [['open', head]],
  );
  shop.git('clone', 'push', '--quiet', 'origin', 'HEAD:refs/heads/main');
  assert.equal((await forge.read([change]))[0]?.state, 'merged');
});

test("a base that may not be pushed to refuses in the repository's words; the branch stays", async (t) => {
  const { forge, change, origin, shop } = openShop(t);
  const hook = join(origin, 'hooks/pre-receive');
  writeFileSync(hook, '#!/bin/sh\necho "main is for releases"\nexit 1\n');
  chmodSync(hook, 0o755);
  await assert.rejects(forge.merge(change, null), { code: 'ERR_FORBIDDEN', message: /main is for releases/ });
  assert.equal(shop.git('b.git', 'rev-parse', 'autocode/1'), change.headCommit);
});

test('another default branch changes nothing; a base or a repository that is gone is told', async (t) => {
  const { forge, change, shop, origin, shape } = openShop(t);
  shop.git('b.git', 'branch', 'trunk', 'main');
  shop.git('b.git', 'symbolic-ref', 'HEAD', 'refs/heads/trunk');
  await forge.merge(change, null);
  assert.deepEqual([shape('main').commits, shape('trunk').commits], [3, 1]);
  shop.git('b.git', 'branch', '-D', 'main');
  await assert.rejects(forge.merge(change, null), { code: 'ERR_BRANCH_UNKNOWN' });
  rmSync(origin, { recursive: true });
  await assert.rejects(forge.read([change]), { code: 'ERR_REPOSITORY_UNREACHABLE' });
});

test('it has no issues, and nothing to open, comment on or close', async (t) => {
  const { forge, change } = openShop(t);
  await assert.rejects(forge.issue(1), { code: 'ERR_NOT_FOUND' });
  await forge.comment(change, 'Not wanted.');
  await forge.close(change);
  assert.equal((await forge.read([change]))[0]?.state, 'open');
});
