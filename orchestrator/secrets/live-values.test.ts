import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileSecrets } from './file.ts';
import { liveValues } from './live-values.ts';

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
  await secrets.put('key', 'k-0815-new');
  await secrets.delete('long');
  assert.deepEqual(await live(), [{ name: 'key', value: 'k-0815-new' }]);
});
