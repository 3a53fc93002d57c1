import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notRedactable } from './redactable.ts';

test('one byte, common words and short numbers cannot be taken out of texts, real keys can', () => {
  for (const value of ['x', 'secret', 'Password', 'correcthorse', 'Schlüssel', '12345678', 'aaaaaaaaaaaa'])
    assert.notEqual(notRedactable(value), null, value);
  for (const value of [
    'sk-live-1f8a9b',
    'p@ssw0rd!9',
    'correct horse battery staple',
    '4242424242424242x1y',
    'ü-🔑-ключ-9',
  ])
    assert.equal(notRedactable(value), null, value);
});
