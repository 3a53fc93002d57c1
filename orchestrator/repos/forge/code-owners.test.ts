import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownersOf } from './code-owners.ts';

test('the last pattern that matches a path names its owners', () => {
  const table: [string, string, string[]][] = [
    ['*', 'a/b.txt', ['x']],
    ['*.js', 'src/a.js', ['x']],
    ['*.js', 'src/a.jsx', []],
    ['/src', 'src/deep/a', ['x']],
    ['/src/', 'src/a', ['x']],
    ['/src/', 'other/src/a', []],
    ['src/', 'other/src/a', ['x']],
    ['docs/*', 'docs/a.md', ['x']],
    ['docs/*', 'docs/deep/a.md', []],
    ['**/logs', 'build/logs/a', ['x']],
    ['apps/**/test', 'apps/one/two/test/a', ['x']],
    ['/a?c', 'abc', ['x']],
    ['Makefile', 'sub/Makefile', ['x']],
    ['a.b', 'axb', []],
  ];
  for (const [pattern, path, owners] of table)
    assert.deepEqual(ownersOf(`${pattern} @x`, [path]), owners, `${pattern} ${path}`);
  const file =
    '# all\n* @ann @acme/core\n/docs/ @ben # words\n/docs/free/\n[Section]\nlib ann@example.test\n';
  assert.deepEqual(ownersOf(file, ['a.ts', 'b.ts']), ['ann', 'acme/core']);
  assert.deepEqual(ownersOf(file, ['docs/a']), ['ben']);
  assert.deepEqual(ownersOf(file, ['docs/free/a']), []);
  assert.deepEqual(ownersOf(file, ['lib/a', 'docs/a', 'x']), ['ben', 'ann', 'acme/core']);
});
