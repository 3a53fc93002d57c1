import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileSecrets } from '../secrets/file.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';
import { liveRedactor } from './live-redactor.ts';

test('a secret is known before it is kept, and as long as the process runs', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-redactor-'));
  const store = fileSecrets(directory);
  await store.put('first', 'k-0815-first');
  const redaction = await liveRedactor(store);
  t.after(() => {
    redaction.stop();
    rmSync(directory, { recursive: true });
  });
  const clean = (text: string) => redaction.current().text(text);
  assert.equal(clean('k-0815-first'), '[redacted secret: first]');
  const secrets = redaction.watched({
    ...store,
    put: async (...input: Parameters<typeof store.put>) => {
      assert.equal(clean('k-0815-second'), '[redacted secret: first]');
      return await store.put(...input);
    },
  });
  await secrets.put('first', 'k-0815-second');
  assert.equal(clean('k-0815-first k-0815-second'), '[redacted secret: first] [redacted secret: first]');
  await secrets.delete('first');
  assert.equal(clean('k-0815-first'), '[redacted secret: first]');
  await store.put('elsewhere', 'k-0815-third');
  assert.equal((await redaction.live()).length, 3);
  assert.equal(clean('k-0815-third'), '[redacted secret: elsewhere]');
});

test('a store that does not answer is told once, and the values that are known stay known', async (t) => {
  const told: boolean[] = [];
  const away = async () => await Promise.reject<never>(new Error('sealed'));
  const store: SecretManager = { list: away, get: away, put: away, history: away, delete: away };
  const redaction = await liveRedactor(store, (answers) => void told.push(answers));
  t.after(() => redaction.stop());
  assert.deepEqual(told, [false]);
  await assert.rejects(redaction.watched(store).put('a', 'k-0815-new'));
  assert.equal(redaction.current().text('k-0815-new'), '[redacted secret: a]');
  await assert.rejects(redaction.live(), /sealed/);
});
