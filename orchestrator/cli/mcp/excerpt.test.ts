import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginning, ending } from './excerpt.ts';

test('a text that fits is whole, one that does not is cut after a line, or within the only one', () => {
  const table: [string, number, string, boolean][] = [
    ['', 4, '', false],
    ['a\nb\n', 4, 'a\nb\n', false],
    ['a\nb\nc\n', 4, 'a\nb\n', true],
    ['a\nbcdef\n', 4, 'a\n', true],
    ['abcdef', 4, 'abcd', true],
    ['abc\u{1f600}', 4, 'abc\ufffd', true],
  ];
  for (const [whole, most, text, cut] of table)
    assert.deepEqual(beginning(whole, most), { text, characters: whole.length, cut });
});

test('of lines the last are shown, as many as fit and are wanted', () => {
  const table: [string[], number, number, string, boolean][] = [
    [[], 2, 10, '', false],
    [['a', 'b'], 2, 3, 'a\nb', false],
    [['a', 'b', 'c'], 2, 10, 'b\nc', true],
    [['aa', 'bb', 'cc'], 3, 5, 'bb\ncc', true],
    [['aa', 'bb', 'cc'], 3, 4, 'cc', true],
    [['aaaa', 'bbbbbb'], 2, 4, 'bbbb', true],
  ];
  for (const [lines, mostLines, most, text, cut] of table)
    assert.deepEqual(ending(lines, mostLines, most), { text, characters: lines.join('\n').length, cut });
});
