import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineSplitter } from './line-splitter.ts';

test('however bytes are cut, their lines are the same, with their numbers and where they begin', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string(), fc.constantFrom('é', '🙂', '\n', '\r\n'))),
      fc.array(fc.nat(9), { minLength: 1 }),
      (parts, cuts) => {
        const text = parts.join('');
        const bytes = new TextEncoder().encode(text);
        const splitter = new LineSplitter(5, 100);
        const lines = [];
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const size = cuts[cut % cuts.length]! + 1;
          lines.push(...splitter.take(bytes.subarray(at, at + size)));
          at += size;
        }
        const expected = new TextDecoder().decode(bytes).split('\n');
        const open = expected.pop();
        assert.deepEqual(
          lines.map(({ text: each }) => each),
          expected,
        );
        assert.equal(splitter.open()?.text ?? '', open);
        let at = 100;
        for (const [index, line] of lines.entries()) {
          assert.deepEqual([line.line, line.at], [5 + index, at]);
          at += line.bytes + 1;
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('a line without end is kept up to 64 KiB, and its length is known', () => {
  const splitter = new LineSplitter(1, 0);
  const piece = new Uint8Array(50_000).fill(120);
  for (let times = 0; times < 4; times++) assert.deepEqual(splitter.take(piece), []);
  const { bytes, text } = splitter.open()!;
  assert.deepEqual([bytes, text.length], [200_000, 65_536]);
  assert.equal(splitter.take(new Uint8Array([10, 97]))[0]!.bytes, 200_000);
  assert.deepEqual(splitter.open(), { line: 2, at: 200_001, bytes: 1, text: 'a' });
});
