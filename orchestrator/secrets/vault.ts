// Secrets in the KV store (version 2) of a Vault: what the file store does, with a short cache that ends with the token.
// Where Vault is away or sealed, every call says so and the next one tries again: nothing has to be restarted.
import { z } from 'zod';
import type { PartHealth } from '../../protocol/status.ts';
import { SecretName } from '../../protocol/secret.ts';
import { checkSecretName, conflict, type Secret, type SecretManager } from './secret-manager.ts';
import { renewCredentials } from './vault/credentials.ts';
import { readHealth } from './vault/health.ts';
import { statusOf } from './vault/failure.ts';
import { vaultSession, type VaultLogin } from './vault/session.ts';

export interface VaultSecrets extends SecretManager {
  /** Replaces the secret id that it is logged in with. */
  renew(): Promise<void>;
  /** Whether it can be used now, for the status. */
  health(): Promise<PartHealth>;
  close(): Promise<void>;
}

/** What another process has written is seen after so long at the latest. */
const CACHE_MS = 30_000;
/** Particulars of so many secrets are asked for at once. */
const AT_ONCE = 8;

const Read = z.object({
  data: z.object({ data: z.record(z.string(), z.unknown()), metadata: z.object({ version: z.int() }) }),
});
const Written = z.object({ data: z.object({ version: z.int() }) });
const Version = z.object({
  created_time: z.coerce.date(),
  deletion_time: z.string().default(''),
  destroyed: z.boolean().default(false),
});
const Metadata = z.object({
  data: z.object({ current_version: z.int(), versions: z.record(z.string(), Version) }),
});
const Keys = z.object({ data: z.object({ keys: z.array(z.string()) }) });

/** Opens the store below `mount`; connects with the first call. */
export function vaultSecrets({ mount, ...login }: VaultLogin & { mount: string }): VaultSecrets {
  const cache = new Map<string, { secret: Secret; until: number }>();
  const session = vaultSession(login, () => cache.clear());
  let writes = 0;

  async function get(name: string): Promise<Secret | undefined> {
    const kept = cache.get(name);
    if (kept !== undefined && performance.now() < kept.until) return kept.secret;
    cache.delete(name);
    checkSecretName(name);
    const before = writes;
    const asked = performance.now();
    const answer = await found(session.call({ method: 'GET', path: `${mount}/data/${name}` }, Read));
    if (answer === undefined) return undefined;
    const { data, metadata } = answer.data;
    const secret = { value: valueOf(data), version: metadata.version };
    // One that was written meanwhile is newer than this.
    if (writes === before) cache.set(name, { secret, until: Math.min(asked + CACHE_MS, session.endsAt()) });
    return secret;
  }

  async function put(name: string, value: string, options: { expectedVersion?: number } = {}) {
    checkSecretName(name);
    const { expectedVersion } = options;
    const body = {
      data: { value },
      options: expectedVersion === undefined ? {} : { cas: expectedVersion },
    };
    try {
      const { data } = await session.call({ method: 'POST', path: `${mount}/data/${name}`, body }, Written);
      return data.version;
    } catch (error) {
      if (expectedVersion === undefined || statusOf(error) !== 400) throw error;
      const newest = (await metadataOf(name))?.current_version ?? 0;
      if (newest === expectedVersion) throw error;
      throw conflict(name, expectedVersion, newest);
    } finally {
      changed(name);
    }
  }

  async function history(name: string) {
    checkSecretName(name);
    const { versions = {} } = (await metadataOf(name)) ?? {};
    return Object.entries(versions)
      .filter(([, { destroyed, deletion_time }]) => !destroyed && deletion_time === '')
      .map(([version, { created_time }]) => ({ name, version: Number(version), createdAt: created_time }))
      .toSorted((one, other) => other.version - one.version);
  }

  async function list() {
    const names = (await namesBelow('')).filter((name) => SecretName.safeParse(name).success).toSorted();
    const newest: Awaited<ReturnType<typeof history>> = [];
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const histories = await Promise.all(names.slice(at, at + AT_ONCE).map(history));
      newest.push(...histories.flatMap((versions) => versions.slice(0, 1)));
    }
    return newest;
  }

  async function remove(name: string) {
    const there = (await history(name)).length > 0;
    const path = `${mount}/metadata/${name}`;
    if (there) await session.call({ method: 'DELETE', path }, z.unknown()).finally(() => changed(name));
    return there;
  }

  function changed(name: string): void {
    writes++;
    cache.delete(name);
  }

  async function metadataOf(name: string) {
    const path = `${mount}/metadata/${name}`;
    return (await found(session.call({ method: 'GET', path }, Metadata)))?.data;
  }

  async function namesBelow(folder: string): Promise<string[]> {
    const path = `${mount}/metadata/${folder}`;
    const keys = (await found(session.call({ method: 'LIST', path }, Keys)))?.data.keys ?? [];
    const below = keys.map(async (key) =>
      key.endsWith('/') ? await namesBelow(folder + key) : [folder + key],
    );
    return (await Promise.all(below)).flat();
  }

  const whoAmI = { method: 'GET', path: 'auth/token/lookup-self' } as const;
  return {
    get,
    put,
    list,
    history,
    delete: remove,
    renew: async () => await renewCredentials(session.call, login),
    health: async () =>
      await readHealth({ ask: session.ask, address: login.address }, () => session.call(whoAmI, z.unknown())),
    close: async () => {
      cache.clear();
      await session.close();
    },
  };
}

/** Undefined for what is not there. */
async function found<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

// A secret that others have put there may have fields of its own: its value is their JSON.
function valueOf(data: Record<string, unknown>): string {
  const { value, ...others } = data;
  return typeof value === 'string' && Object.keys(others).length === 0 ? value : JSON.stringify(data);
}
