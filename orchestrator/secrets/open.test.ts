import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../config/load.ts';
import { takeVaultToken } from '../config/vault-environment.ts';
import { openSecrets } from './open.ts';

function configured(directory: string, ...set: string[]) {
  return loadConfig({ env: {}, cwd: directory, set: [`dataDir=${directory}`, ...set] }).config;
}

test('files need nothing; with a Vault that is away, its own keys are there and the rest says why not', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-open-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const files = await openSecrets(configured(directory));
  assert.equal(files.health, undefined);
  await files.put('server-key', 'own');
  await files.put('other', 'sealed here');

  const vault = ['secrets.kind=vault', 'secrets.vault.address=https://127.0.0.1:1'];
  const secrets = await openSecrets(configured(directory, ...vault));
  assert.equal((await secrets.get('server-key'))?.value, 'own');
  mkdirSync(join(directory, 'config/vault'), { recursive: true });
  const secretId = join(directory, 'config/vault/secret-id');
  for (const name of ['role-id', 'secret-id']) writeFileSync(join(directory, 'config/vault', name), 'x');
  for (const call of [
    secrets.get('other'),
    secrets.list(),
    secrets.put('other', 'x'),
    secrets.delete('other'),
  ])
    await assert.rejects(call, { code: 'ERR_VAULT_UNAVAILABLE', message: /ECONNREFUSED/ });
  assert.equal((await secrets.health?.())?.state, 'down');
  await secrets.renew?.(); // the secret id is of today
  utimesSync(secretId, new Date(), new Date(Date.now() - 2 * 86_400_000));
  await assert.rejects(secrets.renew!(), { code: 'ERR_VAULT_UNAVAILABLE' });
  await secrets.close();
});

test('a Vault without an address, or with one that is not encrypted, is a mistake of the configuration', () => {
  for (const set of [
    ['secrets.kind=vault'],
    ['secrets.kind=vault', 'secrets.vault.address=http://127.0.0.1:8200'],
  ])
    assert.throws(() => configured(tmpdir(), ...set), { code: 'ERR_CONFIG', message: /secrets\.vault/ });
});

test('what the environment says of Vault is taken out of it', () => {
  const env = { VAULT_TOKEN: '', VAULT_SKIP_VERIFY: '1', DEBUG: '*', VAULT_ADDR: 'x', PATH: '/bin' };
  assert.equal(takeVaultToken(env), undefined);
  assert.deepEqual(env, { PATH: '/bin' });
});
