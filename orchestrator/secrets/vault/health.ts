// How Vault is, without being logged in and with. Used by the status, the doctor and the setup.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { PartHealth } from '../../../protocol/status.ts';
import type { VaultRequest } from './client.ts';

const Health = z.object({
  initialized: z.boolean(),
  sealed: z.boolean(),
  standby: z.boolean().default(false),
  version: z.string().default(''),
});

/** The status waits for it. */
const HEALTH_MS = 2_000;

type Ask = <T>(request: VaultRequest, schema: z.ZodType<T>) => Promise<T>;

/** What Vault says of itself to anyone. */
export async function askHealth(ask: Ask): Promise<z.infer<typeof Health>> {
  return await ask({ method: 'GET', path: 'sys/health', withinMs: HEALTH_MS }, Health);
}

/** The part `vault` of the status; what is wrong is told, not thrown. */
export async function readHealth(
  { ask, address }: { ask: Ask; address: string },
  login: () => Promise<unknown>,
): Promise<PartHealth> {
  const name = 'vault';
  try {
    const { initialized, sealed, version } = await askHealth(ask);
    if (!initialized)
      return { name, state: 'down', detail: `${address} is not initialised: \`autocode secret setup\`` };
    if (sealed)
      return {
        name,
        state: 'down',
        detail: `${address} is sealed: \`autocode secret unseal\`; what needs a secret waits`,
      };
    await login();
    return { name, state: 'ok', detail: `${address}, ${version}` };
  } catch (error) {
    if (!(error instanceof AutocodeError)) throw error;
    return { name, state: 'down', detail: [error.message, error.remedy].join(' ') };
  }
}
