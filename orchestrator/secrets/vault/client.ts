// One call to Vault's HTTP API: the only file that knows node-vault. Its answers are checked, its calls end in time, its
// connections are kept and trust one authority alone. Used by session.ts and setup/.
import { readFileSync } from 'node:fs';
import { Agent, request as send } from 'undici';
import type { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { vaultFailure } from './failure.ts';

export interface VaultRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'LIST';
  /** Below `/v1/`, as `secret/data/openai-key`. */
  path: string;
  body?: object;
  token?: string;
  /** Seconds for which the answer waits, wrapped, for the one who unwraps it. */
  wrapSeconds?: number;
  /** How long the answer may take, in milliseconds. */
  withinMs?: number;
}

export interface VaultClient {
  address: string;
  /** Throws an AutocodeError (failure.ts). */
  call<T>(request: VaultRequest, schema: z.ZodType<T>): Promise<T>;
  close(): Promise<void>;
}

export interface VaultAddress {
  address: string;
  /** The only authority to trust; those of the system when left out. */
  caFile?: string | undefined;
}

const CONNECTIONS = 8;
const CONNECT_MS = 3_000;
const CALL_MS = 10_000;

/** A client of the Vault at an address; connects with the first call. */
export async function vaultClient({ address, caFile }: VaultAddress): Promise<VaultClient> {
  const { default: nodeVault } = await import('node-vault');
  const ca = caFile === undefined ? undefined : readAuthority(caFile);
  const agent = new Agent({
    connections: CONNECTIONS,
    connect: { timeout: CONNECT_MS, ...(ca === undefined ? {} : { ca }) },
  });
  // With a transport of our own: its default one would follow HTTPS_PROXY and redirects, with the token in the headers.
  const transport = async ({ uri, method, headers, json, withinMs = CALL_MS }: Sent) => {
    const answer = await send(uri, {
      dispatcher: agent,
      method: method as 'GET',
      headers: { ...headers, 'X-Vault-Request': 'true', ...(json && { 'content-type': 'application/json' }) },
      ...(json && { body: JSON.stringify(json) }),
      signal: AbortSignal.timeout(withinMs),
    });
    const text = await answer.body.text();
    return { statusCode: answer.statusCode, body: parsed(text), request: { path: new URL(uri).pathname } };
  };
  const vault = nodeVault({
    endpoint: address,
    debug: () => {}, // its own prints secrets
    'request-promise': { defaults: () => transport },
  });
  return {
    address,
    async call({ method, path, body, token, wrapSeconds, withinMs }, schema) {
      const listing = method === 'LIST'; // which not every proxy lets pass
      try {
        const answer: unknown = await vault.request({
          method: listing ? 'GET' : method,
          path: listing ? `/${path}?list=true` : `/${path}`,
          ...(body && { json: body }),
          ...(withinMs !== undefined && { withinMs }),
          headers: {
            ...(token !== undefined && { 'X-Vault-Token': token }),
            ...(wrapSeconds !== undefined && { 'X-Vault-Wrap-TTL': `${wrapSeconds}s` }),
          },
        });
        return schema.parse(answer);
      } catch (error) {
        throw vaultFailure(error, { address, method, path, caFile });
      }
    },
    close: async () => await agent.destroy(),
  };
}

interface Sent {
  uri: string;
  method: string;
  headers: Record<string, string>;
  json?: object;
  withinMs?: number;
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return { errors: ['it answers something that is not JSON'] };
  }
}

function readAuthority(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AutocodeError(
      'ERR_TLS',
      `The authority for Vault cannot be read: ${(cause as Error).message}.`,
      {
        remedy: 'Correct secrets.vault.caFile; `autocode secret setup` makes the one of this appliance.',
        cause,
      },
    );
  }
}
