import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileSecrets } from './file.ts';
import { liveValues, valueFinder } from './live-values.ts';

test('live values are those of the newest versions that ordinary text does not hold', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-live-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const secrets = fileSecrets(directory);
  const live = liveValues(secrets);
  assert.deepEqual(await live(), []);
  await secrets.put('word', 'secret');
  await secrets.put('key', 'k-0815-old');
  await secrets.put('long', 'k-0815-old-and-more');
  assert.deepEqual(
    (await live()).map(({ name }) => name),
    ['key', 'long'],
  );
  const found = valueFinder(await live())('a k-0815-old-and-more, k-0815-old; secret k-0815-new');
  assert.deepEqual([...found.values()].toSorted(), ['key', 'long']);
  await secrets.put('key', 'k-0815-new');
  await secrets.delete('long');
  assert.deepEqual(await live(), [{ name: 'key', value: 'k-0815-new' }]);
});

test('values that mean something in an expression, and those of several lines, are found as they stand', () => {
  const values = ['.*+?^${}()|[]', 'first line\nsecond (line)', 'ключ-🔑-9999'];
  const find = valueFinder(values.map((value, n) => ({ name: String(n), value })));
  assert.equal(find(`x${values.join(' x ')}x`).size, 3);
  assert.equal(find('nothing of that').size, 0);
  assert.equal(valueFinder([])('anything').size, 0);
});

test('many values of all lengths are found wherever they stand, beside and inside of one another', () => {
  const values = Array.from(
    { length: 300 },
    (_, n) => `${(n * 7919).toString(36)}-${'é'.repeat(n % 40)}:${n}-key`,
  );
  values.push(`inside ${values[7]} of another`, 'x'.repeat(2_000) + 'y');
  const find = valueFinder(values.map((value) => ({ name: value, value })));
  for (const [n, value] of values.entries()) {
    const found = find(`${'.'.repeat(n % 17)}${value}${'-'.repeat(n % 5)}`);
    assert.equal(found.get(value), value);
  }
  assert.equal(find(values.join('')).size, values.length);
});
