// What the environment says about Vault, taken out of it: nothing of it is to reach the client library or a child process.
import process from 'node:process';

/** What would print secrets, switch the check of certificates off, or lead elsewhere than the configuration says. */
const CLEARED = [
  'DEBUG',
  'VAULT_SKIP_VERIFY',
  'VAULT_ADDR',
  'VAULT_PREFIX',
  'VAULT_NAMESPACE',
  'VAULT_TOKEN',
];

let token: string | undefined;

/** VAULT_TOKEN, where it is set. Called before node-vault is imported; clears what it must not see. */
export function takeVaultToken(env: Record<string, string | undefined> = process.env): string | undefined {
  token = env.VAULT_TOKEN || token;
  for (const name of CLEARED) delete env[name];
  return token;
}
