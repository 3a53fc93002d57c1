import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configKeys } from './keys.ts';
import { loadConfig } from './load.ts';
import { maskPassword, showConfig } from './show.ts';

test('every key is shown with its value and source, and passwords are masked', () => {
  const shown = showConfig(loadConfig({ env: { DATABASE_URL: 'postgresql://me:hunter2@h/d' } }));
  assert.equal(shown.length, configKeys().length);
  assert.deepEqual(
    shown.find(({ path }) => path === 'database.url'),
    { path: 'database.url', value: 'postgresql://me:***@h/d', source: 'DATABASE_URL' },
  );
  assert.ok(!JSON.stringify(shown).includes('hunter2'));
});

const urls: [string, string][] = [
  ['postgres://u@h/d', 'postgres://u@h/d'],
  ['postgres://u:p@h:5/d?x=1', 'postgres://u:***@h:5/d?x=1'],
  ['postgres://u:a@b@h/d', 'postgres://u:***@h/d'],
  ['postgres://h/d?user=u&password=p&x=1', 'postgres://h/d?user=u&password=***&x=1'],
  ['postgres://h/d?sslpassword=p', 'postgres://h/d?sslpassword=***'],
];
for (const [url, masked] of urls) test(`masked: ${masked}`, () => assert.equal(maskPassword(url), masked));
