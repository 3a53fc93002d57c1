import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostRepository } from './hosted.ts';
import { openRepository } from './open.ts';
import { workshop } from './testing/workshop.ts';

const asRoot = { skip: process.getuid?.() === 0 ? false : 'needs root' };

test('a working copy is opened by its top, from any folder or link inside', async () => {
  using shop = workshop();
  const path = shop.workingCopy('w', { 'src/a.txt': 'a' });
  symlinkSync(path, join(shop.dir, 'link'));
  for (const origin of [
    path,
    join(path, 'src'),
    join(path, '.git'),
    join(shop.dir, 'link', 'src'),
    `file://${path}`,
  ]) {
    const opened = await openRepository(shop.store.git, { origin, allowDirty: false });
    assert.deepEqual(opened, { origin: path, defaultBranch: 'main', hosted: false }, origin);
  }
  assert.equal(
    (await openRepository(shop.store.git, { origin: 'src', cwd: path, allowDirty: false })).origin,
    path,
  );
});

test('a bare repository and a linked worktree are opened', async () => {
  using shop = workshop();
  const bare = shop.bare('b.git');
  assert.equal((await openRepository(shop.store.git, { origin: bare, allowDirty: false })).origin, bare);
  shop.workingCopy('w');
  shop.git('w', 'worktree', 'add', '--quiet', '-b', 'side', '../tree');
  const opened = await openRepository(shop.store.git, { origin: join(shop.dir, 'tree'), allowDirty: false });
  assert.deepEqual(opened, { origin: join(shop.dir, 'tree'), defaultBranch: 'side', hosted: false });
});

test('what cannot be reached says so', async () => {
  using shop = workshop();
  mkdirSync(join(shop.dir, 'plain'));
  const cases: [string, RegExp][] = [
    [join(shop.dir, 'missing'), /There is nothing at/],
    [join(shop.dir, 'plain'), /not a git repository/],
    ['no-such-folder', /neither an absolute path nor a URL/],
    ['ext::sh -c id', /neither an absolute path nor a URL/],
    ['--upload-pack=id', /neither an absolute path nor a URL/],
    ['http://127.0.0.1:9/x.git', /could not be read: .*127\.0\.0\.1/],
  ];
  for (const [origin, message] of cases) {
    const opening = openRepository(shop.store.git, { origin, allowDirty: false });
    await assert.rejects(opening, { code: 'ERR_REPOSITORY_UNREACHABLE', message }, origin);
  }
});

test('an address with a password or token is refused, and not repeated', async () => {
  using shop = workshop();
  for (const origin of [
    'https://ann:hunter2@example.org/x.git',
    'https://ghp_0123456789abcdefghij@example.org/x.git',
  ]) {
    const opening = openRepository(shop.store.git, { origin, allowDirty: false });
    await assert.rejects(opening, (error: Error & { code: string }) => {
      assert.equal(error.code, 'ERR_INVALID_INPUT');
      assert.doesNotMatch(error.message, /hunter2|ghp_/);
      return true;
    });
  }
});

test('a repository without commits is refused', async () => {
  using shop = workshop();
  shop.git('.', 'init', '--quiet', 'empty');
  shop.git('.', 'init', '--quiet', '--bare', 'empty.git');
  for (const name of ['empty', 'empty.git']) {
    const opening = openRepository(shop.store.git, { origin: join(shop.dir, name), allowDirty: true });
    await assert.rejects(opening, { code: 'ERR_REPOSITORY_EMPTY' }, name);
  }
});

test('an unknown branch lists the known ones, ten at most', async () => {
  using shop = workshop();
  const origin = shop.workingCopy('w');
  for (let number = 1; number <= 12; number++) shop.git('w', 'branch', `b${number}`);
  await assert.rejects(openRepository(shop.store.git, { origin, defaultBranch: 'nope', allowDirty: false }), {
    code: 'ERR_BRANCH_UNKNOWN',
    message: /has no branch nope/,
    remedy: /b1, .*and 3 more/,
  });
});

test('a detached HEAD needs a named branch', async () => {
  using shop = workshop();
  const origin = shop.workingCopy('w');
  shop.git('w', 'checkout', '--quiet', '--detach');
  await assert.rejects(openRepository(shop.store.git, { origin, allowDirty: false }), {
    code: 'ERR_BRANCH_UNKNOWN',
    remedy: /main/,
  });
  assert.equal(
    (await openRepository(shop.store.git, { origin, defaultBranch: 'main', allowDirty: false }))
      .defaultBranch,
    'main',
  );
});

test('uncommitted changes are named, unless they are accepted', async () => {
  using shop = workshop();
  const origin = shop.workingCopy('w', { 'a.txt': 'a', 'naïve file': 'b' });
  appendFileSync(join(origin, 'naïve file'), 'more');
  shop.write('w', { 'new.txt': 'n' });
  await assert.rejects(openRepository(shop.store.git, { origin, allowDirty: false }), {
    code: 'ERR_REPOSITORY_DIRTY',
    message: /naïve file, new\.txt/,
  });
  await openRepository(shop.store.git, { origin, allowDirty: true });
});

test('a shallow clone is refused with the command that mends it', async () => {
  using shop = workshop();
  shop.workingCopy('w');
  shop.git('w', 'commit', '--quiet', '--allow-empty', '--message', 'second');
  shop.git('.', 'clone', '--quiet', '--depth=1', `file://${shop.dir}/w`, 'shallow');
  await assert.rejects(
    openRepository(shop.store.git, { origin: join(shop.dir, 'shallow'), allowDirty: false }),
    {
      code: 'ERR_REPOSITORY_UNREACHABLE',
      remedy: /fetch --unshallow/,
    },
  );
});

test(
  "another user's repository is opened, and nothing in its configuration runs; files with a filter are not looked at",
  asRoot,
  async () => {
    using shop = workshop();
    const origin = shop.workingCopy('w', { 'a.txt': 'a', b: 'b', '.gitattributes': '*.txt filter=trap' });
    shop.git('w', 'config', 'filter.trap.clean', `sh -c 'id -u > ${shop.dir}/public/uid; cat'`);
    shop.git('w', 'config', 'core.fsmonitor', `${shop.dir}/fsmonitor`);
    mkdirSync(join(shop.dir, 'public'));
    chmodSync(join(shop.dir, 'public'), 0o777);
    appendFileSync(join(origin, 'a.txt'), 'more');
    execFileSync('chown', ['-R', '12345:12345', origin]);
    assert.equal((await openRepository(shop.store.git, { origin, allowDirty: false })).origin, origin);
    appendFileSync(join(origin, 'b'), 'more');
    await assert.rejects(openRepository(shop.store.git, { origin, allowDirty: false }), {
      code: 'ERR_REPOSITORY_DIRTY',
      message: /uncommitted changes: b\./,
    });
    const ran = execFileSync('sh', ['-c', `cat ${shop.dir}/public/uid 2>/dev/null || echo none`], {
      encoding: 'utf8',
    }).trim();
    assert.equal(ran, 'none');
  },
);

test('the local forge hosts a repository with one commit, or with the branches of another, once', async () => {
  using shop = workshop();
  const hosted = await hostRepository(shop.store, 7);
  assert.deepEqual(await openRepository(shop.store.git, { ...hosted, allowDirty: false }), {
    ...hosted,
    hosted: false,
  });
  const before = shop.git('repositories/7/forge.git', 'rev-parse', 'main');
  await hostRepository(shop.store, 7);
  assert.equal(shop.git('repositories/7/forge.git', 'rev-parse', 'main'), before);
  const from = shop.workingCopy('w');
  const copy = await hostRepository(shop.store, 8, { from });
  assert.equal(shop.git('repositories/8/forge.git', 'rev-parse', 'main'), shop.git('w', 'rev-parse', 'main'));
  assert.equal(copy.hosted, true);
});
