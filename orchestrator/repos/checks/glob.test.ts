import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesAny } from './glob.ts';

const TABLE: [pattern: string, matches: string[], not: string[]][] = [
  ['docs/**', ['docs/a', 'docs/a/b', 'docs/.x/y'], ['docs', 'adocs/a']],
  ['docs/', ['docs/a', 'docs/.a/b'], ['docs']],
  ['docs/*', ['docs/a', 'docs/.a'], ['docs/a/b']],
  ['**/a.txt', ['a.txt', 'x/a.txt', '.x/y/a.txt'], ['ba.txt']],
  ['a?c', ['abc'], ['a/c', 'ac']],
  ['*.y*ml', ['x.yml', 'x.yaml'], ['d/x.yml']],
  ['a[1].(x)+', ['a[1].(x)+'], ['a1.x']],
  ['**', ['a', 'a/b', 'a\nb'], []],
];

test('a pattern matches whole paths, with names that begin with a dot like any other', () => {
  for (const [pattern, matches, not] of TABLE) {
    for (const path of matches) assert.ok(matchesAny(path, [pattern]), `${pattern} ${path}`);
    for (const path of not) assert.ok(!matchesAny(path, [pattern]), `${pattern} ${path}`);
  }
});
