import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonLines } from './json-lines.ts';

function read(chunks: string[], maxLineBytes = 1000) {
  const objects: object[] = [];
  const strays: string[] = [];
  let tooLong = 0;
  const lines = jsonLines({
    object: (value) => objects.push(value),
    stray: (text) => strays.push(text.toString()),
    tooLong: () => (tooLong += 1),
    maxLineBytes,
  });
  for (const chunk of chunks) lines.write(Buffer.from(chunk));
  lines.end();
  return { objects, strays, tooLong };
}

test('objects are read from lines however they are cut, the last without a line break', () => {
  assert.deepEqual(read(['{"a":', '1}\n{"b":2}\n{"c"', ':3}']).objects, [{ a: 1 }, { b: 2 }, { c: 3 }]);
});

test('text between them is told apart, empty lines are nothing', () => {
  const { objects, strays } = read(['Welcome\n\n{"a":1}\n{broken\n["no object"]\n']);
  assert.deepEqual(objects, [{ a: 1 }]);
  assert.deepEqual(strays, ['Welcome\n', '{broken\n', '["no object"]\n']);
});

test('a line without end is told once, and nothing more is read', () => {
  const flood = read(['x'.repeat(600), 'x'.repeat(600), 'x'.repeat(600), '\n{"a":1}\n']);
  assert.deepEqual(flood, { objects: [], strays: [], tooLong: 1 });
});
