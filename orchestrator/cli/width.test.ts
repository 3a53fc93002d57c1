import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayWidth, truncate, wrapWords } from './width.ts';

test('wide characters take two columns and are never cut in half', () => {
  assert.equal(displayWidth('日本語'), 6);
  assert.equal(displayWidth('✓ é'), 3);
  assert.equal(displayWidth('👩‍👩‍👧'), 2);
  assert.equal(truncate('日本語', 5), '日本…');
  assert.equal(truncate('plain', 5), 'plain');
});

test('text is wrapped between words, its indent kept, a word that is too long broken', () => {
  assert.deepEqual(wrapWords('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrapWords('  code: here', 20), ['  code: here']);
  assert.deepEqual(wrapWords('a verylongword b', 6), ['a', 'veryl', 'ongwo', 'rd b']);
  assert.deepEqual(wrapWords('', 10), ['']);
});
