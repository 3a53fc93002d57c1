import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createGit } from './git.ts';
import { fetchMirror } from './mirror.ts';
import { workshop } from './testing/workshop.ts';

function refs(shop: ReturnType<typeof workshop>, mirror: string): string[] {
  return shop.git('.', '--git-dir', mirror, 'for-each-ref', '--format=%(refname)').split('\n');
}

test('a mirror follows its origin, prunes there, and leaves runs alone', async () => {
  using shop = workshop();
  const origin = shop.workingCopy('w');
  shop.git('w', 'branch', 'gone');
  shop.git('w', 'tag', 'v1');
  const mirror = await fetchMirror(shop.store, { id: 1, origin });
  shop.git('.', '--git-dir', mirror, 'update-ref', 'refs/runs/1-1', 'refs/forge/heads/main');
  shop.git('w', 'branch', '--delete', '--force', 'gone');
  shop.git('w', 'branch', 'gone/deeper');
  await fetchMirror(shop.store, { id: 1, origin });
  const expected = [
    'refs/forge/heads/gone/deeper',
    'refs/forge/heads/main',
    'refs/forge/tags/v1',
    'refs/runs/1-1',
  ];
  assert.deepEqual(refs(shop, mirror), expected);
});

test('fetches at the same time, from two stores on one directory too, all succeed', async () => {
  using shop = workshop();
  const origin = shop.workingCopy('w');
  const other = {
    dir: shop.store.dir,
    git: createGit({ path: '/usr/bin:/bin', home: shop.dir, configDir: join(shop.dir, 'other') }),
  };
  const fetches = Array.from({ length: 8 }, (_, index) =>
    fetchMirror(index % 2 === 0 ? shop.store : other, { id: 1, origin }),
  );
  assert.equal(new Set(await Promise.all(fetches)).size, 1);
});

test('locks that a killed git left behind do not stop the next fetch', async () => {
  using shop = workshop();
  const origin = shop.workingCopy('w');
  const mirror = await fetchMirror(shop.store, { id: 1, origin });
  shop.git('w', 'commit', '--quiet', '--allow-empty', '--message', 'second');
  shop.git('w', 'branch', 'gone');
  await fetchMirror(shop.store, { id: 1, origin });
  shop.git('w', 'branch', '--delete', '--force', 'gone');
  for (const lock of ['packed-refs.lock', 'refs/forge/heads/main.lock'])
    writeFileSync(join(mirror, lock), '');
  shop.git('w', 'commit', '--quiet', '--allow-empty', '--message', 'third');
  await fetchMirror(shop.store, { id: 1, origin });
  assert.equal(
    shop.git('.', '--git-dir', mirror, 'rev-parse', 'refs/forge/heads/main'),
    shop.git('w', 'rev-parse', 'main'),
  );
});

test('a half-made mirror is not taken for one', async () => {
  using shop = workshop();
  const origin = shop.workingCopy('w');
  const draft = join(shop.store.dir, '1', `mirror.git.${process.pid}.new`);
  mkdirSync(draft, { recursive: true });
  writeFileSync(join(draft, 'HEAD'), 'ref:');
  await fetchMirror(shop.store, { id: 1, origin });
});

test('an origin that is gone is told, and the mirror keeps what it has', async () => {
  using shop = workshop();
  const origin = shop.bare('b.git');
  const mirror = await fetchMirror(shop.store, { id: 1, origin });
  renameSync(origin, `${origin}.away`);
  await assert.rejects(fetchMirror(shop.store, { id: 1, origin }), { code: 'ERR_REPOSITORY_UNREACHABLE' });
  assert.deepEqual(refs(shop, mirror), ['refs/forge/heads/main']);
});

test('progress is reported and an abort ends the fetch', async () => {
  using shop = workshop();
  const origin = shop.workingCopy('w');
  const lines: string[] = [];
  await fetchMirror(shop.store, { id: 1, origin }, { onProgress: (line) => lines.push(line) });
  assert.match(lines.join('\n'), /Counting objects/);
  const stopped = new AbortController();
  stopped.abort();
  await assert.rejects(fetchMirror(shop.store, { id: 1, origin }, { signal: stopped.signal }), {
    name: 'AbortError',
  });
});

test(
  'an origin of another user is fetched',
  { skip: process.getuid?.() === 0 ? false : 'needs root' },
  async () => {
    using shop = workshop();
    for (const origin of [shop.workingCopy('w'), shop.bare('b.git')]) {
      execFileSync('chown', ['-R', '12345:12345', origin]);
      await fetchMirror(shop.store, { id: origin.length, origin });
    }
  },
);
