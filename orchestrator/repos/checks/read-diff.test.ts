import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { workshop } from '../testing/workshop.ts';
import { readDiff } from './read-diff.ts';

test('every kind of change is read from the objects alone', async () => {
  using shop = workshop();
  const tree = shop.workingCopy('w', {
    'gone.txt': 'a\nb\n',
    'kept.txt': 'k\n',
    'moved.txt': 'm\n',
    'run.sh': 'x\n',
    '.gitattributes': '*.txt filter=evil -diff\n',
  });
  const base = shop.git('w', 'rev-parse', 'HEAD');
  rmSync(join(tree, 'gone.txt'));
  renameSync(join(tree, 'moved.txt'), join(tree, 'there.txt'));
  chmodSync(join(tree, 'run.sh'), 0o755);
  symlinkSync('/etc/passwd', join(tree, 'link'));
  shop.write('w', { 'kept.txt': 'k\nl\n', 'data.bin': Buffer.from([0, 1, 2, 3]), 'odd\n"\tname': 'o\n' });
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0x6c, 0xff, 0x6c])]), 'latin\n');
  shop.git('w', 'add', '--all');
  shop.git('w', 'update-index', '--add', '--cacheinfo', `160000,${base},lib`);
  shop.git('w', 'commit', '--quiet', '--message', 'second');
  const head = shop.git('w', 'rev-parse', 'HEAD');

  shop.git('.', 'clone', '--quiet', '--bare', 'w', 'mirror.git');
  shop.git('mirror.git', 'symbolic-ref', 'HEAD', 'refs/heads/none');

  const diff = await readDiff(shop.store.git, join(shop.dir, 'mirror.git'), base, head);
  const brief = diff.files.map(({ path, status, bytes, binary, lines, link }) => [
    path,
    status,
    bytes,
    binary ? 'binary' : lines,
    link,
  ]);
  assert.deepEqual(brief, [
    ['data.bin', 'added', 4, 'binary', null],
    ['gone.txt', 'deleted', 0, 2, null],
    ['kept.txt', 'modified', 4, 1, null],
    ['lib', 'added', 0, 1, null],
    ['link', 'added', 11, 1, '/etc/passwd'],
    ['l\ufffdl', 'added', 6, 1, null],
    ['moved.txt', 'deleted', 0, 1, null],
    ['odd\n"\tname', 'added', 2, 1, null],
    ['run.sh', 'modified', 2, 0, null],
    ['there.txt', 'added', 2, 1, null],
  ]);
  assert.deepEqual(diff.files.find(({ path }) => path === 'run.sh')?.mode, {
    before: '100644',
    after: '100755',
  });

  const batches = await Array.fromAsync(diff.contents(diff.files, { fileBytes: 5 }));
  const contents = batches
    .flat()
    .map(({ path, before, after }) => [path, before?.toString() ?? null, after?.toString() ?? null]);
  assert.deepEqual(
    contents.filter(([path]) => ['kept.txt', 'l\ufffdl', 'lib', 'gone.txt'].includes(path!)),
    [
      ['gone.txt', 'a\nb\n', null],
      ['kept.txt', 'k\n', 'k\nl\n'],
      ['lib', null, null],
      ['l\ufffdl', null, null], // six bytes: beyond the limit
    ],
  );
});

test('a difference of many files is read in batches', async () => {
  using shop = workshop();
  shop.workingCopy('w', { a: 'a\n' });
  const base = shop.git('w', 'rev-parse', 'HEAD');
  const input = [
    'commit refs/heads/main',
    'committer t <t@example.org> 1 +0000',
    'data 1',
    'x',
    `from ${base}`,
  ];
  for (let index = 0; index < 5000; index++)
    input.push(`M 644 inline d${index % 50}/f${index}`, 'data 5', `${String(index).padStart(4)}\n`);
  execFileSync('git', ['fast-import', '--quiet'], {
    cwd: join(shop.dir, 'w'),
    input: input.join('\n'),
    env: { PATH: process.env.PATH },
  });
  const diff = await readDiff(
    shop.store.git,
    join(shop.dir, 'w/.git'),
    base,
    shop.git('w', 'rev-parse', 'main'),
  );
  assert.equal(diff.files.length, 5000);
  const sizes = [];
  for await (const batch of diff.contents(diff.files, { fileBytes: 1000 })) sizes.push(batch.length);
  assert.deepEqual(sizes, [2000, 2000, 1000]);
});
