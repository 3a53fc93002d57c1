import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileSecrets } from './file.ts';
import { requireSecret } from './secret-manager.ts';

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

test('versions count up, lists have no values, deleting removes all versions', async () => {
  using directory = temporaryDirectory();
  const secrets = fileSecrets(directory.path);
  await secrets.put('b', 'one');
  await secrets.put('b', 'two');
  await secrets.put('a', 'x');
  assert.deepEqual(
    (await secrets.list()).map(({ name, version }) => ({ name, version })),
    [
      { name: 'a', version: 1 },
      { name: 'b', version: 2 },
    ],
  );
  assert.deepEqual(
    (await secrets.history('b')).map(({ version }) => version),
    [2, 1],
  );
  assert.ok(!JSON.stringify(await secrets.list()).includes('two'));
  assert.equal(await secrets.delete('b'), true);
  assert.equal(await secrets.delete('b'), false);
  assert.equal(await secrets.get('b'), undefined);
});

test('a write that expects another version is refused, and of two at once one wins', async () => {
  using directory = temporaryDirectory();
  const secrets = fileSecrets(directory.path);
  await secrets.put('a', '1', { expectedVersion: 0 });
  await assert.rejects(secrets.put('a', '2', { expectedVersion: 0 }), { code: 'ERR_CONFLICT' });
  const writes = await Promise.allSettled(
    [1, 2, 3, 4].map((n) => fileSecrets(directory.path).put('a', `w${n}`, { expectedVersion: 1 })),
  );
  assert.equal(writes.filter((write) => write.status === 'fulfilled').length, 1);
  const free = await Promise.all([1, 2, 3].map((n) => secrets.put('a', `f${n}`)));
  assert.deepEqual(new Set(free), new Set([3, 4, 5]));
});

test('names that would leave the directory are refused', async () => {
  using directory = temporaryDirectory();
  const secrets = fileSecrets(directory.path);
  for (const name of ['../x', 'a/b', '', '.hidden', 'A', 'x'.repeat(64)]) {
    await assert.rejects(secrets.get(name), { code: 'ERR_INVALID_INPUT' }, name);
  }
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
