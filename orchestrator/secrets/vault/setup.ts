// Makes a new Vault ready: initialised, unsealed, provisioned, its root token revoked. What an earlier setup that was cut off
// has left is finished by the next one: what only it knows stands in a file until its end. Used by `autocode secret setup`.
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { writeFileAtomic } from '../../config/atomic-file.ts';
import { vaultClient, type VaultClient } from './client.ts';
import { renewCredentials, type Call } from './credentials.ts';
import { askHealth } from './health.ts';
import { provision } from './provision.ts';
import { vaultSession, type VaultLogin } from './session.ts';

export interface SetupOptions {
  /** Its `token`, of an operator, is what is worked with in a Vault that somebody else has initialised. */
  login: VaultLogin & { mount: string };
  shares: number;
  threshold: number;
  auditFile: string;
  /** Where the file is that an unfinished setup leaves. */
  directory: string;
  /** Shows the key shares, before they are forgotten. */
  show(keys: { shares: string[]; threshold: number }): void;
}

/** What was done, in words; empty when all was there already. */
export type SetupDone = string[];

/** Kept from before Vault is initialised until the shares were shown. */
const Unfinished = z.object({
  threshold: z.int(),
  shares: z.array(z.string()).optional(),
  /** Away as soon as it is revoked. */
  root: z.string().optional(),
});
type Unfinished = z.infer<typeof Unfinished>;

const Initialised = z.object({ keys_base64: z.array(z.string()), root_token: z.string() });
const Seal = z.object({ sealed: z.boolean() });
const ACTIVE_MS = 60_000;

/** Does what is left to do; throws where it cannot go on, with what to do. */
export async function setUpVault(options: SetupOptions): Promise<SetupDone> {
  const { login, directory, auditFile, show } = options;
  const { mount } = login;
  const file = join(directory, 'setup.json');
  const client = await vaultClient(login);
  try {
    const done: string[] = [];
    const health = await askHealth(client.call);
    let left = readUnfinished(file);
    if (!health.initialized) {
      left = await initialise(client, file, options);
      done.push('initialised');
    }
    if (left === undefined) return await completeOther(client, health.sealed, options);
    if (left.shares === undefined) throw keysLost(login.address, file);
    const { shares, threshold } = left;
    if (await unseal(client, shares)) done.push('unsealed');
    await becomeActive(client);
    if (left.root !== undefined) {
      const call = withToken(client, left.root);
      done.push(...(await provision(call, { mount, auditFile })));
      await renewCredentials(call, login);
      await proveLogin(login);
      await call({ method: 'POST', path: 'auth/token/revoke-self', body: {} }, z.unknown());
      await writeUnfinished(file, { shares, threshold });
      done.push('credentials of the orchestrator', 'root token revoked');
    }
    show({ shares, threshold });
    await rm(file);
    return done;
  } finally {
    await client.close();
  }
}

/** A Vault without a file of ours: set up before, or by somebody else. */
async function completeOther(
  client: VaultClient,
  sealed: boolean,
  options: SetupOptions,
): Promise<SetupDone> {
  const { login, auditFile } = options;
  if (sealed)
    throw new AutocodeError('ERR_VAULT_UNAVAILABLE', `Vault at ${login.address} is sealed.`, {
      remedy: 'Unseal it with its key shares: `autocode secret unseal`; then call this again.',
    });
  if (login.token !== undefined) {
    const call = withToken(client, login.token);
    const done = await provision(call, { mount: login.mount, auditFile });
    await renewCredentials(call, login);
    await proveLogin(login);
    return [...done, 'credentials of the orchestrator'];
  }
  try {
    await proveLogin(login);
    return [];
  } catch (error) {
    if (!(error instanceof AutocodeError) || error.code !== 'ERR_CONFIG') throw error;
    throw new AutocodeError(
      'ERR_STATE',
      `Vault at ${login.address} was initialised by somebody else: there are no credentials for it here.`,
      {
        remedy:
          'With the token of its operator, `VAULT_TOKEN=… autocode secret setup` puts policies and AppRoles there; or let the operator put role id and secret id into secrets.vault.roleIdFile and secretIdFile.',
        cause: error,
      },
    );
  }
}

// The answer is the only place where the keys ever are: it is on disk before anything else happens.
async function initialise(client: VaultClient, file: string, options: SetupOptions): Promise<Unfinished> {
  const { shares, threshold } = options;
  await writeUnfinished(file, { threshold });
  const body = { secret_shares: shares, secret_threshold: threshold };
  const made = await client.call({ method: 'PUT', path: 'sys/init', body }, Initialised);
  const left = { threshold, shares: made.keys_base64, root: made.root_token };
  await writeUnfinished(file, left);
  return left;
}

/** Gives key shares until it is open; false when it was. */
async function unseal(client: VaultClient, keys: string[]): Promise<boolean> {
  if (!(await askHealth(client.call)).sealed) return false;
  for (const key of keys) if (await giveShare(client.call, key)) return true;
  throw new AutocodeError(
    'ERR_STATE',
    `Vault at ${client.address} stays sealed with the keys of the setup.`,
    {
      remedy: 'It is not the one that was set up here: look at secrets.vault.address.',
    },
  );
}

/** Gives one key share; true when Vault is open then. */
export async function giveShare(call: Call, key: string): Promise<boolean> {
  return !(await call({ method: 'PUT', path: 'sys/unseal', body: { key } }, Seal)).sealed;
}

// With raft storage it stands by for a moment.
async function becomeActive(client: VaultClient): Promise<void> {
  for (const giveUp = performance.now() + ACTIVE_MS; ; await delay(100)) {
    if (!(await askHealth(client.call)).standby) return;
    if (performance.now() > giveUp)
      throw new AutocodeError('ERR_VAULT_UNAVAILABLE', `Vault at ${client.address} stands by.`, {
        remedy: 'Set secrets.vault.address to the active node.',
      });
  }
}

async function proveLogin({ token: _, ...login }: VaultLogin): Promise<void> {
  const session = vaultSession(login);
  try {
    await session.call({ method: 'GET', path: 'auth/token/lookup-self' }, z.unknown());
  } finally {
    await session.close();
  }
}

function withToken(client: VaultClient, token: string): Call {
  return async (request, schema) => await client.call({ ...request, token }, schema);
}

function readUnfinished(file: string): Unfinished | undefined {
  try {
    return Unfinished.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeUnfinished(file: string, left: Unfinished): Promise<void> {
  await writeFileAtomic(file, JSON.stringify(left));
}

function keysLost(address: string, file: string): AutocodeError {
  return new AutocodeError(
    'ERR_STATE',
    `An earlier setup was cut off while Vault at ${address} was being initialised: nobody has its keys.`,
    {
      remedy: `Nothing is in it yet: stop it, empty its storage (vault-data), start it, remove ${file} and call this again.`,
    },
  );
}
