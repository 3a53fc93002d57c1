// The secrets of an installation by its configuration: sealed files, or a Vault with the keys that are Autocode's own kept as
// files beside it. Used by main.ts and by verbs that work without the daemon.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import type { PartHealth } from '../../protocol/status.ts';
import { dataPath } from '../config/data-directory.ts';
import type { Config } from '../config/schema.ts';
import { takeVaultToken } from '../config/vault-environment.ts';
import { fileSecrets } from './file.ts';
import type { SecretManager } from './secret-manager.ts';
import type { VaultSecrets } from './vault.ts';
import type { VaultLogin } from './vault/session.ts';

/** Without these nothing starts, or what is kept here cannot be read: they do not depend on another server. */
const OWN_KEYS = ['server-key', 'prompts-key'];
const DAY_MS = 86_400_000;

export interface OpenSecrets extends SecretManager {
  /** The part of the status; absent for files, which need nothing. */
  health?: () => Promise<PartHealth>;
  /** Replaces the credentials that it is reached with when they are a day old; absent where they are not Autocode's to replace. */
  renew?: () => Promise<void>;
  close(): Promise<void>;
}

type Configured = Pick<Config, 'dataDir' | 'secrets'>;

/** Opens what `secrets` in the configuration says; connects to nothing yet. */
export async function openSecrets(config: Configured): Promise<OpenSecrets> {
  const files = fileSecrets(dataPath(config.dataDir, 'secrets'));
  if (config.secrets.kind === 'file') return { ...files, close: async () => {} };
  const vault = await openVault(config);
  const secrets = withOwnKeys(vault, files);
  if (takeVaultToken() !== undefined) return secrets;
  const { secretIdFile } = vaultLogin(config);
  const renew = async () => {
    const { mtimeMs } = await stat(secretIdFile);
    if (Date.now() - mtimeMs > DAY_MS) await vault.renew();
  };
  return { ...secrets, renew };
}

/** The Vault of the configuration alone. */
export async function openVault(config: Configured): Promise<VaultSecrets> {
  const { vaultSecrets } = await import('./vault.ts');
  const login = vaultLogin(config);
  return vaultSecrets({ ...login, token: takeVaultToken() });
}

/** How to log in to Vault, by the configuration. */
export function vaultLogin({ dataDir, secrets: { vault } }: Configured): VaultLogin & { mount: string } {
  if (vault === undefined)
    throw new AutocodeError('ERR_CONFIG', 'secrets.vault is not set.', {
      remedy: 'Set secrets.kind to vault and secrets.vault.address to its address (docs/secrets.md).',
    });
  const kept = (name: string) => join(dataPath(dataDir, 'config/vault'), name);
  const { roleIdFile = kept('role-id'), secretIdFile = kept('secret-id') } = vault;
  return { address: vault.address, mount: vault.mount, caFile: vault.caFile, roleIdFile, secretIdFile };
}

/** Whether a secret is one of Autocode's own keys. */
export function isOwnKey(name: string): boolean {
  return OWN_KEYS.includes(name);
}

function withOwnKeys(vault: VaultSecrets, files: SecretManager): OpenSecrets {
  const keeper = (name: string) => (isOwnKey(name) ? files : vault);
  return {
    get: async (name) => await keeper(name).get(name),
    put: async (name, value, options) => await keeper(name).put(name, value, options),
    history: async (name) => await keeper(name).history(name),
    delete: async (name) => await keeper(name).delete(name),
    list: async () => {
      const own = (await files.list()).filter(({ name }) => isOwnKey(name));
      const others = (await vault.list()).filter(({ name }) => !isOwnKey(name));
      return [...own, ...others].toSorted((one, other) => (one.name < other.name ? -1 : 1));
    },
    health: vault.health,
    close: vault.close,
  };
}
