import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textFinder } from './find-values.ts';

const finder = (texts: string[]) => textFinder(new Map(texts.map((text, n) => [text, String(n)])));

test('texts that mean something in an expression, and those of several lines, are found as they stand', () => {
  const texts = ['.*+?^${}()|[]', 'first line\nsecond (line)', 'ключ-🔑-9999'];
  const found = finder(texts)(`x${texts.join(' x ')}x`);
  assert.deepEqual(
    found.map(({ kind, start, end }) => [kind, end - start]),
    texts.map((text, n) => [String(n), text.length]),
  );
  assert.deepEqual(finder(texts)('nothing of that'), []);
  assert.deepEqual(finder([])('anything'), []);
});

test('many texts of all lengths are found wherever they stand, beside and inside of one another', () => {
  const texts = Array.from(
    { length: 300 },
    (_, n) => `${(n * 7919).toString(36)}-${'é'.repeat(n % 40)}:${n}-key`,
  );
  texts.push(`inside ${texts[7]} of another`, 'x'.repeat(2_000) + 'y');
  const find = finder(texts);
  for (const [n, text] of texts.entries()) {
    const before = n % 17;
    const found = find(`${'.'.repeat(before)}${text}${'-'.repeat(n % 5)}`);
    assert.ok(
      found.some(
        ({ kind, start, end }) => kind === String(n) && start === before && end === before + text.length,
      ),
    );
  }
  assert.equal(new Set(find(texts.join('')).map(({ kind }) => kind)).size, texts.length);
});
