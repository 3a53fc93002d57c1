// A webhook of a source: believed or refused, and durable before it is answered; what is in it is worked on after.
// Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Accepted } from '../../protocol/intake.ts';
import type { Queryable } from '../db/connect.ts';
import { requireSecret, type SecretManager } from '../secrets/secret-manager.ts';
import { storeDelivery } from './deliveries.ts';
import type { Sealer } from './sealing.ts';
import { notAuthentic, secretNameOf, type HookRequest } from './source.ts';
import { openSource } from './sources.ts';

export interface HookDeps {
  db: Queryable;
  sealer: Sealer;
  secrets: Pick<SecretManager, 'get'>;
}

/** To open a sealed secret takes longer than all the rest of a delivery: so long one is not read again. */
const SECRET_MS = 5_000;

/** Takes a delivery; ERR_UNAUTHENTICATED where it is not believed, whether or not there is such a source. */
export async function takeHook(
  { db, sealer, secrets }: HookDeps,
  name: string,
  request: HookRequest,
): Promise<Accepted> {
  const found = await openSource(db, name);
  if (found?.kind.verify === undefined) throw notAuthentic(name);
  const { source, kind } = found;
  const secret = async () => await requireSecret(secrets, secretNameOf(source));
  const authentic = await kind.verify!(source, request, secret).catch((error: unknown) => {
    if (error instanceof AutocodeError && error.code === 'ERR_SECRET') throw notAuthentic(name, error);
    throw error;
  });
  return await storeDelivery(db, sealer, source.name, { ...authentic, body: request.body, via: 'webhook' });
}

/** The same secrets, each read at most once in five seconds. */
export function recentSecrets(secrets: HookDeps['secrets']): HookDeps['secrets'] {
  const recent = new Map<string, { secret: ReturnType<typeof secrets.get>; until: number }>();
  return {
    get: async (name) => {
      const kept = recent.get(name);
      if (kept !== undefined && performance.now() < kept.until) return await kept.secret;
      const secret = secrets.get(name);
      recent.set(name, { secret, until: performance.now() + SECRET_MS });
      secret.catch(() => recent.delete(name));
      return await secret;
    },
  };
}
