import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editYaml } from './yaml-edit.ts';

const edit = (text: string, set: Record<string, unknown>, unset: string[] = []) =>
  editYaml(text, { set: new Map(Object.entries(set)), unset });

const edits: [what: string, text: string, set: Record<string, unknown>, unset: string[], expected: string][] =
  [
    ['a key of an empty file', '', { 'api.port': 1 }, [], 'api:\n  port: 1\n'],
    ['a file of comments alone', '# a\n# b\n', { a: 1 }, [], '# a\n# b\n\na: 1\n'],
    [
      'a part without a value',
      'api: # ours\nb: 1\n',
      { 'api.port': 1 },
      [],
      'api:\n  port: 1\n  # ours\nb: 1\n',
    ],
    ['an empty part', 'api: {}\n', { 'api.port': 1 }, [], 'api:\n  port: 1\n'],
    ['a part written in a line', 'api: { a: 1 }\n', { 'api.port': 1 }, [], 'api: { a: 1, port: 1 }\n'],
    ['a value with its comments', '# x\na: 0x10 # y\n', { a: 3 }, [], '# x\na: 3 # y\n'],
    ['quotes', 'a: "x"\nb: x\n', { a: 'y', b: '1' }, [], 'a: "y"\nb: "1"\n'],
    ['long text on its line', 'a: 1\n', { b: 'word '.repeat(30) }, [], `a: 1\nb: "${'word '.repeat(30)}"\n`],
    ['what is said already', 'a:   [1,2]\n', { a: [1, 2] }, ['c.d'], 'a:   [1,2]\n'],
    ['a key that goes', 'a: 1 # x\n# of b\nb: 2\n', {}, ['a'], '# of b\nb: 2\n'],
    ['the last key of a part', 'a:\n  b:\n    c: 1\nd: 1\n', {}, ['a.b.c'], 'd: 1\n'],
    ['a part', 'a:\n  b:\n    c: 1\nd: 1\n', {}, ['a'], 'd: 1\n'],
    [
      'items of a list by their names',
      'l:\n  - name: a # A\n    n: 1\n  # on b\n  - name: b\n    n: 2 # two\n  - name: c\n',
      { l: [{ name: 'a', n: 1 }, { name: 'b', n: 3, m: 1 }, { name: 'd' }] },
      [],
      'l:\n  - name: a # A\n    n: 1\n  # on b\n  - name: b\n    n: 3 # two\n    m: 1\n  - name: d\n',
    ],
  ];
for (const [what, text, set, unset, expected] of edits)
  test(`changed in place: ${what}`, () => assert.equal(edit(text, set, unset), expected));

test('what an anchor holds for others is not changed key by key', () => {
  const text = 'a: &x {p: 1}\nb: *x\n';
  assert.equal(edit(text, { 'a.p': 2 }), undefined);
  assert.equal(edit(text, { 'b.p': 2 }), undefined);
  assert.equal(edit(text, {}, ['b.p']), undefined);
  assert.equal(edit(text, { c: 1 }), 'a: &x { p: 1 }\nb: *x\nc: 1\n');
});
