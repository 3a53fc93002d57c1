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
