import assert from 'node:assert/strict';
import { test } from 'node:test';
import { block, table } from './output.ts';
import { displayWidth } from './width.ts';

const rows = [
  { id: 1, title: 'A short one', project: 'shop' },
  {
    id: 12,
    title: 'A title that goes on for much longer than any terminal has columns to show it',
    project: 'warehouse',
  },
];
const columns = [
  { title: 'TASK', value: (row: (typeof rows)[0]) => String(row.id), align: 'right' as const },
  { title: 'TITLE', value: (row: (typeof rows)[0]) => row.title },
  { title: 'PROJECT', value: (row: (typeof rows)[0]) => row.project },
];

test('a table that fits is not cut, and numbers stand at the right', () => {
  const [head, first] = table(rows.slice(0, 1), columns, 80).split('\n');
  assert.equal(head, 'TASK  TITLE        PROJECT');
  assert.equal(first, '   1  A short one  shop');
});

test('a table that does not fit loses characters of its widest column only', () => {
  for (const width of [40, 60, 80]) {
    const lines = table(rows, columns, width).split('\n');
    assert.ok(
      lines.every((line) => displayWidth(line) <= width),
      `${width}`,
    );
    assert.match(lines[2] ?? '', /^ {2}12 {2}A title.*… {2}warehouse$/);
  }
});

test('a spare column is left out before anything is cut, and is there where it has room', () => {
  const spare = columns.map((column) =>
    column.title === 'PROJECT' ? { ...column, spare: true as const } : column,
  );
  assert.match(table(rows, spare, 60), /^TASK {2}TITLE\n.*one\n.*termina…$/);
  assert.match(table(rows, spare, 100), /PROJECT/);
  assert.match(table(rows, spare, undefined), /PROJECT/);
});

test('without a terminal nothing is cut', () => {
  assert.match(table(rows, columns, undefined), /columns to show it {2}warehouse/);
});

test('newlines in a cell take no line', () => {
  const [, line] = table([{ id: 1, title: 'two\nlines', project: '日本' }], columns, 80).split('\n');
  assert.equal(line, '   1  two lines  日本');
});

test('a block lines up its values and leaves out what has none', () => {
  assert.equal(
    block([
      ['a', 'one'],
      ['longer', 'two\nthree'],
      ['none', null],
      ['empty', ''],
    ]),
    'a       one\nlonger  two\n        three',
  );
});
