// The key that the tokens of runs are derived from. Used by main.ts.
import { randomBytes } from 'node:crypto';
import { requireSecret, type SecretManager } from '../secrets/secret-manager.ts';

/** Made at the first start. */
export async function serverKey(secrets: SecretManager): Promise<Buffer> {
  const name = 'server-key';
  if ((await secrets.get(name)) === undefined)
    await secrets.put(name, randomBytes(32).toString('base64'), { expectedVersion: 0 });
  return Buffer.from(await requireSecret(secrets, name), 'base64');
}
