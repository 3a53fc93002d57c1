// The model gateway as the configuration has it. Used by main.ts in the role `gateway`.
import { listenOn } from '../api/listen.ts';
import type { Config } from '../config/schema.ts';
import { startGateway, type Gateway, type GatewayOptions } from '../gateway/server.ts';
import { requireSecret, type SecretManager } from '../secrets/secret-manager.ts';

type Parts = Pick<GatewayOptions, 'db' | 'log' | 'catalogue' | 'prompts' | 'supervisor' | 'serveToo'> & {
  config: Config;
  secrets: SecretManager;
};

/** Starts it; `last` is its port of the last start. */
export async function serveGateway(
  { config, secrets, ...parts }: Parts,
  last: number | undefined,
): Promise<Gateway> {
  const options = {
    ...parts,
    secrets: { get: async (name: string) => await requireSecret(secrets, name) },
    callsPerMinute: config.api.rateLimit.gateway,
    guards: config.gateway.guards,
    books: { timeZone: config.budget.timeZone, currency: config.currency },
    reservationSeconds: config.budget.reservationSeconds,
  };
  let gateway: Gateway | undefined;
  await listenOn('gateway', { ...config.gateway, last }, async (host, port) => {
    gateway = await startGateway({ ...options, host, port });
    return gateway.port;
  });
  return gateway!;
}
