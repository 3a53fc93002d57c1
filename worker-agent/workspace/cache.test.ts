// The object cache: filled over HTTP, by several at once, and after a git that was killed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fakeOrchestrator, type FakeRun } from '../testing/fake-orchestrator.ts';
import { fetchIntoCache } from './cache.ts';
import { checkout } from './checkout.ts';
import { remoteOf } from './remote.ts';

const context = () => ({ path: process.env.PATH ?? '', signal: AbortSignal.timeout(30_000) });

async function withOrigin(
  use: (parts: {
    fetch: (signal?: AbortSignal) => Promise<string>;
    place: string;
    run: FakeRun;
    url: string;
  }) => Promise<void>,
): Promise<void> {
  const place = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'autocode-cache-')));
  const fake = await fakeOrchestrator(place, { 'a.txt': 'a\n' });
  try {
    const run = fake.add({});
    const ref = `refs/runs/${run.order.run}`;
    execFileSync('git', ['-C', fake.repository, 'update-ref', ref, run.baseCommit]);
    const fetch = async () =>
      await fetchIntoCache(context(), remoteOf(fake.url, run.order, '/git/3.git'), {
        cacheDir: path.join(place, 'cache'),
        repository: 3,
        ref,
      });
    await use({ fetch, place, run, url: fake.url });
  } finally {
    await fake.close();
    rmSync(place, { recursive: true, force: true });
  }
}

test('several fetch at once, and a checkout borrows the objects', async () => {
  await withOrigin(async ({ fetch, place, run }) => {
    const [cache] = await Promise.all([fetch(), fetch(), fetch()]);
    const tree = path.join(place, 'tree');
    await checkout(context(), {
      tree,
      commit: run.baseCommit,
      branch: 'autocode/1-1',
      objects: [path.join(cache!, 'objects')],
    });
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', tree, ...args])
        .toString()
        .trim();
    assert.equal(git('rev-parse', 'HEAD'), run.baseCommit);
    assert.equal(git('status', '--porcelain'), '');
    assert.equal(git('count-objects'), '0 objects, 0 kilobytes');
    assert.equal(git('remote'), '');
  });
});

test('what a killed git left behind does not stop the next', async () => {
  await withOrigin(async ({ fetch }) => {
    const cache = await fetch();
    for (const file of ['HEAD.lock', 'config.lock', 'packed-refs.lock', 'refs/heads/last.lock', 'gc.pid'])
      writeFileSync(path.join(cache, file), '');
    await fetch();
  });
});

test('a refusal is an answer: it is not asked again, and the token is not told', async () => {
  await withOrigin(async ({ place, run, url }) => {
    const remote = remoteOf(url, { ...run.order, runToken: 'wrong-token' }, '/git/3.git');
    const fetching = fetchIntoCache(context(), remote, {
      cacheDir: path.join(place, 'cache'),
      repository: 3,
      ref: 'refs/runs/1-1',
    });
    await assert.rejects(
      fetching,
      (error: Error & { code: string }) =>
        error.code === 'ERR_REPOSITORY_UNREACHABLE' && !error.message.includes('wrong-token'),
    );
  });
});
