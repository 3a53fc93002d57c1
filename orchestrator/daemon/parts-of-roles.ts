// The large parts that a role has for itself: loaded where the configuration has the role. Used by main.ts, which starts them.
import type { Config } from '../config/schema.ts';

/** Loads them; what belongs to a role that this process has not is undefined. */
export async function partsOfRoles(roles: Config['roles']) {
  const [api, gateway, submission] = await Promise.all([
    roles.includes('api') ? import('../api/server.ts') : undefined,
    roles.includes('gateway') ? import('./own-gateway.ts') : undefined,
    roles.includes('scheduler') ? import('../repos/submit.ts') : undefined,
  ]);
  return { startApi: api?.startApi, serveGateway: gateway?.serveGateway, submission };
}
