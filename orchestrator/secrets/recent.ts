// Secrets that deliveries are checked by, read at most every few seconds. Used where webhooks are taken.
import type { SecretManager } from './secret-manager.ts';

/** To open a sealed secret takes longer than all the rest of a delivery: so long one is not read again. */
const SECRET_MS = 5_000;

/** The same secrets, each read at most once in five seconds; one that is not there is looked for each time. */
export function recentSecrets(secrets: Pick<SecretManager, 'get'>): Pick<SecretManager, 'get'> {
  const recent = new Map<string, { secret: ReturnType<typeof secrets.get>; until: number }>();
  return {
    get: async (name) => {
      const kept = recent.get(name);
      if (kept !== undefined && performance.now() < kept.until) return await kept.secret;
      const reading = { secret: secrets.get(name), until: performance.now() + SECRET_MS };
      recent.set(name, reading);
      const secret = await reading.secret.catch((error: unknown) => {
        recent.delete(name);
        throw error;
      });
      if (secret === undefined) recent.delete(name);
      return secret;
    },
  };
}
