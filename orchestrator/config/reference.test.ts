import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { configKeys } from './keys.ts';
import { configReference } from './reference.ts';

test('docs/configuration.md is what the schema says', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
  assert.equal(page, configReference(), 'run `./autocode config reference > docs/configuration.md`');
});

test('every key is explained, and each has a variable of its own', () => {
  const keys = configKeys();
  for (const key of keys) assert.ok(key.description.length > 5, key.path);
  assert.equal(new Set(keys.map((key) => key.variable)).size, keys.length);
});
