// The Nomad cluster of this installation; nothing of it is loaded where none is configured. Used by main.ts.
import type { ApiContext } from '../api/context.ts';
import type { NomadSettings } from '../config/nomad-settings.ts';
import { requireSecret, type SecretManager } from '../secrets/secret-manager.ts';

/** Opens it without asking it anything: it may be away. */
export async function openFleet(
  settings: NomadSettings | undefined,
  secrets: SecretManager,
  version: string,
): Promise<ApiContext['fleet']> {
  if (settings === undefined) return undefined;
  const { nomadClient } = await import('../nomad/client.ts');
  const { address, namespace, caFile, tokenSecret } = settings;
  const token = async () => await requireSecret(secrets, tokenSecret);
  return { nomad: nomadClient({ address, namespace, token, caFile }), settings, version };
}
