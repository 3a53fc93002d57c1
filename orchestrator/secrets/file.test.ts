import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileSecrets } from './file.ts';
import { requireSecret } from './secret-manager.ts';
import { secretsConformance } from './testing.ts';

function temporaryDirectory(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'autocode-secrets-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function allFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('a secret comes back, is sealed on disk, and only its owner may read the files', async () => {
  using directory = temporaryDirectory();
  const secrets = fileSecrets(directory.path);
  assert.equal(await secrets.get('openai-key'), undefined);
  assert.equal(await secrets.put('openai-key', 'sk-ü-🔑\nline'), 1);
  assert.deepEqual(await fileSecrets(directory.path).get('openai-key'), {
    value: 'sk-ü-🔑\nline',
    version: 1,
  });
  for (const file of allFiles(directory.path)) {
    assert.equal(statSync(file).mode & 0o777, 0o600, file);
    assert.ok(!readFileSync(file, 'utf8').includes('sk-'), file);
  }
  assert.equal(allFiles(directory.path).length, 2);
});

secretsConformance('files', async () => {
  const { path } = temporaryDirectory();
  return { open: () => fileSecrets(path), end: async () => rmSync(path, { recursive: true }) };
});

test('a file under another name, a lost identity and a missing secret are said clearly', async () => {
  using directory = temporaryDirectory();
  const secrets = fileSecrets(directory.path);
  await secrets.put('a', 'x');
  await secrets.put('b', 'y');
  cpSync(join(directory.path, 'values/a/1.age'), join(directory.path, 'values/b/1.age'));
  await assert.rejects(secrets.get('b'), { code: 'ERR_SECRET' });
  await assert.rejects(requireSecret(secrets, 'c'), { code: 'ERR_SECRET' });
  rmSync(join(directory.path, 'identity.txt'));
  await assert.rejects(secrets.get('a'), /identity.txt is missing/);
});
