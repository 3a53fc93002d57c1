import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { branchName, slug } from './branch-name.ts';

test('a title becomes a short name in plain letters', () => {
  const cases: [string, string][] = [
    ['Fix the sum', 'fix-the-sum'],
    ['  Größe & Übermaß  ', 'gro-e-uberma'],
    ['日本語', 'change'],
    ['../../etc/passwd', 'etc-passwd'],
    ['a'.repeat(60), 'a'.repeat(40)],
    ['one two three four five six seven eight nine', 'one-two-three-four-five-six-seven-eight'],
  ];
  for (const [title, expected] of cases) assert.equal(slug(title), expected, title);
});

test('every title gives a name that git takes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 9 }), (title, attempt) => {
      assert.match(branchName(3, title, attempt), /^autocode\/3-[a-z0-9]+(-[a-z0-9]+)*$/);
      assert.ok(slug(title).length <= 40);
    }),
  );
});
