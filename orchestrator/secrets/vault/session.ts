// Being logged in to Vault: by AppRole, or with the token in VAULT_TOKEN. The token is renewed before its end; one that is
// not valid any more is replaced by a new login. Used by ../vault.ts, whose cache ends with the token.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { type VaultAddress, type VaultClient, type VaultRequest, vaultClient } from './client.ts';
import { statusOf } from './failure.ts';

export interface VaultLogin extends VaultAddress {
  /** Used instead of the AppRole. */
  token?: string | undefined;
  roleIdFile: string;
  secretIdFile: string;
}

export interface VaultSession {
  /** A call with the token; logs in where that is needed, once more where the token is not valid any more. */
  call<T>(request: VaultRequest, schema: z.ZodType<T>): Promise<T>;
  /** A call without a token. */
  ask<T>(request: VaultRequest, schema: z.ZodType<T>): Promise<T>;
  /** When the token ends, by performance.now(); 0 while there is none. */
  endsAt(): number;
  close(): Promise<void>;
}

const Auth = z.object({
  auth: z.object({ client_token: z.string(), lease_duration: z.number(), renewable: z.boolean() }),
});
const Looked = z.object({ data: z.object({ ttl: z.number(), renewable: z.boolean().default(false) }) });
const Capabilities = z.object({ data: z.record(z.string(), z.unknown()) });

const RENEW_AGAIN_MS = 5_000;
/** Timers take no more than this. */
const TIMER_MAX_MS = 2 ** 31 - 1;

interface Held {
  token: string;
  endsAt: number;
  /** Seconds that it was first given for; a renewal that brings less than half of it is the last one. */
  seconds: number;
  renewable: boolean;
}

/** Opens a session; logs in with the first call. `ended` is called whenever a token is not used any more. */
export function vaultSession(login: VaultLogin, ended: () => void = () => {}): VaultSession {
  let client: Promise<VaultClient> | undefined;
  let held: Promise<Held> | undefined;
  let current: Held | undefined;
  let timer: NodeJS.Timeout | undefined;

  const connected = async () => {
    client ??= vaultClient(login);
    client.catch(() => (client = undefined)); // the file with the authority may come yet
    return await client;
  };

  async function ask<T>(request: VaultRequest, schema: z.ZodType<T>): Promise<T> {
    const used = await connected();
    try {
      return await used.call(request, schema);
    } catch (error) {
      // Another authority may be in the file by the next call.
      if (error instanceof AutocodeError && error.code === 'ERR_TLS') await disconnect();
      throw error;
    }
  }

  async function disconnect(): Promise<void> {
    const going = client;
    client = undefined;
    await (await going?.catch(() => undefined))?.close();
  }

  function forget(token: string | undefined): void {
    if (current?.token !== token) return;
    current = undefined;
    held = undefined;
    clearTimeout(timer);
    ended();
  }

  async function loggedIn(): Promise<Held> {
    if (current !== undefined && current.endsAt <= performance.now()) forget(current.token);
    held ??= (login.token === undefined ? byAppRole() : byToken(login.token)).then(
      (got) => {
        keep(got);
        return got;
      },
      (error: unknown) => {
        held = undefined;
        throw error;
      },
    );
    return await held;
  }

  async function byAppRole(): Promise<Held> {
    const role_id = await readCredential('roleIdFile', login.roleIdFile);
    const secret_id = await readCredential('secretIdFile', login.secretIdFile);
    const asked = performance.now();
    try {
      const body = { role_id, secret_id };
      const { auth } = await ask({ method: 'POST', path: 'auth/approle/login', body }, Auth);
      return {
        token: auth.client_token,
        endsAt: asked + auth.lease_duration * 1000,
        seconds: auth.lease_duration,
        renewable: auth.renewable,
      };
    } catch (error) {
      // Another process of this installation may just have replaced it.
      if (statusOf(error) === 400 && (await readCredential('secretIdFile', login.secretIdFile)) !== secret_id)
        return await byAppRole();
      throw refusedLogin(error);
    }
  }

  async function byToken(token: string): Promise<Held> {
    const asked = performance.now();
    const { data } = await ask({ method: 'GET', path: 'auth/token/lookup-self', token }, Looked).catch(
      (error: unknown) => {
        if (statusOf(error) !== 403) throw error;
        throw new AutocodeError(
          'ERR_VAULT_DENIED',
          `Vault at ${login.address} does not know the token in VAULT_TOKEN.`,
          {
            remedy:
              'It may have ended or been revoked: set another and restart, or unset it to log in by AppRole.',
            cause: error,
          },
        );
      },
    );
    // The root token never ends.
    const endsAt = data.ttl === 0 ? Infinity : asked + data.ttl * 1000;
    return { token, endsAt, seconds: data.ttl, renewable: data.renewable };
  }

  function keep(got: Held): void {
    current = got;
    clearTimeout(timer);
    if (!got.renewable || got.endsAt === Infinity) return;
    const left = got.endsAt - performance.now();
    timer = setTimeout(() => void renew(got), Math.min((left * 2) / 3, TIMER_MAX_MS)).unref();
  }

  async function renew(old: Held): Promise<void> {
    const { token } = old;
    try {
      const asked = performance.now();
      const { auth } = await ask({ method: 'POST', path: 'auth/token/renew-self', token, body: {} }, Auth);
      if (current !== old) return;
      const got = { ...old, endsAt: asked + auth.lease_duration * 1000 };
      // Near the most that it may ever live: the next call logs in anew.
      got.renewable = auth.lease_duration * 2 > old.seconds;
      held = Promise.resolve(got);
      keep(got);
    } catch (error) {
      if (current !== old) return;
      if (statusOf(error) === 403) return forget(token);
      timer = setTimeout(() => void renew(old), RENEW_AGAIN_MS).unref();
    }
  }

  async function call<T>(request: VaultRequest, schema: z.ZodType<T>): Promise<T> {
    const { token } = await loggedIn();
    try {
      return await ask({ ...request, token }, schema);
    } catch (error) {
      if (statusOf(error) !== 403) throw error;
      await explainDenial(request, token, error);
      forget(token);
    }
    const anew = await loggedIn();
    return await ask({ ...request, token: anew.token }, schema);
  }

  /** Returns when the token is not valid any more; throws what is missing when it is. */
  async function explainDenial({ method, path }: VaultRequest, token: string, cause: unknown): Promise<void> {
    const asked = { method: 'POST', path: 'sys/capabilities-self', token, body: { paths: [path] } } as const;
    const answer = await ask(asked, Capabilities).catch((error: unknown) => {
      if (statusOf(error) !== 403) throw error;
    });
    if (answer === undefined) return;
    const has = [answer.data[path]].flat().join(', ');
    const needs = CAPABILITIES[method];
    throw new AutocodeError(
      'ERR_VAULT_DENIED',
      `Vault at ${login.address} does not let Autocode ${needs.join(' and ')} ${path}: it has ${has || 'no capability'} there.`,
      {
        remedy: `Add to its policy (vault/policies/orchestrator.hcl): path "${path}" { capabilities = ${JSON.stringify(needs)} }`,
        details: { status: 403, path, capabilities: needs },
        cause,
      },
    );
  }

  async function close(): Promise<void> {
    clearTimeout(timer);
    const ending = current;
    forget(ending?.token);
    // A token of our own is not left behind; where Vault is away it ends by itself.
    if (ending !== undefined && login.token === undefined) {
      const revoke = {
        method: 'POST',
        path: 'auth/token/revoke-self',
        token: ending.token,
        body: {},
      } as const;
      await ask(revoke, z.unknown()).catch(() => {});
    }
    await disconnect();
  }

  return { call, ask, endsAt: () => current?.endsAt ?? 0, close };
}

const WRITING = ['create', 'update'];
const CAPABILITIES = { GET: ['read'], LIST: ['list'], POST: WRITING, PUT: WRITING, DELETE: ['delete'] };

async function readCredential(key: string, file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new AutocodeError(
      'ERR_CONFIG',
      `secrets.vault.${key} cannot be read: ${(cause as Error).message}.`,
      {
        remedy: 'Run `autocode secret setup`, or put there what the operator of that Vault gave you.',
        cause,
      },
    );
  }
}

function refusedLogin(error: unknown): unknown {
  const status = statusOf(error);
  if (status !== 400 && status !== 403) return error;
  return new AutocodeError('ERR_VAULT_DENIED', 'Vault refuses to log Autocode in by its AppRole.', {
    remedy:
      'Its secret id has ended or was destroyed: `VAULT_TOKEN=… autocode secret setup --rotate`, with the token of an operator, makes another.',
    details: { status },
    cause: error,
  });
}
