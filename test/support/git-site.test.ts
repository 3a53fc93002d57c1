import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gitSite, type MergeMethod } from './git-site.ts';

const run = promisify(execFile);

test('a repository is cloned and pushed to by git; a protected branch says why not; merges are of the method asked for', async (t) => {
  await using site = await gitSite();
  await site.create('1', { 'a.txt': 'a\n' });
  await site.protect('1', 'main', 'GitLab: You are not allowed to push.');
  const server = http.createServer((request, response) => {
    site.serve('1', request.url!.slice('/acme/x.git'.length), request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const dir = await mkdtemp(join(tmpdir(), 'autocode-site-test-'));
  t.after(async () => {
    server.close();
    await rm(dir, { recursive: true });
  });
  const env = { PATH: process.env.PATH, HOME: dir, GIT_CONFIG_NOSYSTEM: '1' };
  const git = async (...args: string[]) => await run('git', args, { env, cwd: dir });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/acme/x.git`;
  await git('clone', '--quiet', url, 'x');
  await git('-C', 'x', '-c', 'user.name=B', '-c', 'user.email=b@c', 'commit', '--allow-empty', '-m', 'mine');
  await git('-C', 'x', 'push', '--quiet', 'origin', 'HEAD:refs/heads/side');
  assert.deepEqual(await site.branches('1'), ['main', 'side']);
  await assert.rejects(
    git('-C', 'x', 'push', 'origin', 'HEAD:main'),
    /remote: GitLab: You are not allowed to push/,
  );

  const shapes = {
    merge: { commits: 4, parents: 2 },
    squash: { commits: 3, parents: 1 },
    rebase: { commits: 3, parents: 1 },
  };
  for (const [method, shape] of Object.entries(shapes)) {
    await site.commit('1', `${method}-base`, { 'base.txt': 'b\n' });
    await site.commit('1', method, { [`${method}.txt`]: 'x\n' });
    await site.merge('1', `${method}-base`, method, method as MergeMethod, 'merged');
    assert.deepEqual(await site.shape('1', `${method}-base`), shape);
  }
  await site.commit('1', 'left', { 'a.txt': 'l\n' });
  await site.commit('1', 'right', { 'a.txt': 'r\n' });
  assert.equal(await site.merges('1', 'left', 'right'), false);
  assert.equal(await site.merges('1', 'left', 'merge'), true);
});
