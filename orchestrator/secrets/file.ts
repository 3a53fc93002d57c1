// Secrets as files sealed with age: <directory>/values/<name>/<version>.age, one file a version, a `/` of the name written
// as %2F, opened by the X25519 identity in identity.txt. The default; used where no Vault is configured.
import { chmod, link, mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { syncDirectory, writeFileAtomic } from '../config/atomic-file.ts';
import { checkSecretName, conflict } from './secret-manager.ts';
import type { SecretManager, SecretVersion } from './secret-manager.ts';

// Sealed together with the value, so that a file that was moved over another's is noticed.
const Sealed = z.object({ name: z.string(), version: z.int(), value: z.string() });

/** Opens the store in a directory of its own (0700); makes its identity at the first write. */
export function fileSecrets(directory: string): SecretManager {
  const values = join(directory, 'values');
  const folder = (name: string) => folderOf(directory, name);

  async function get(name: string) {
    checkSecretName(name);
    const version = (await versionsOf(folder(name)))[0];
    if (version === undefined) return undefined;
    const { value } = await open(directory, name, version);
    return { value, version };
  }

  async function put(name: string, value: string, options: { expectedVersion?: number } = {}) {
    checkSecretName(name);
    await mkdir(folder(name), { recursive: true, mode: 0o700 });
    for (;;) {
      const newest = (await versionsOf(folder(name)))[0] ?? 0;
      const { expectedVersion = newest } = options;
      const version = newest + 1;
      if (expectedVersion !== newest) throw conflict(name, expectedVersion, newest);
      const sealed = await seal(directory, { name, version, value });
      if (await placeNew(folder(name), `${version}.age`, sealed)) return version;
      // Another writer was faster: the next round sees its version.
    }
  }

  async function history(name: string): Promise<SecretVersion[]> {
    checkSecretName(name);
    const versions = await versionsOf(folder(name));
    return Promise.all(
      versions.map(async (version) => {
        const { mtime } = await stat(join(folder(name), `${version}.age`));
        return { name, version, createdAt: mtime };
      }),
    );
  }

  async function list() {
    const folders = (await namesIn(values)).filter((name) => !name.startsWith('.'));
    const names = folders.map((folder) => decodeURIComponent(folder)).toSorted();
    const newest = await Promise.all(names.map(async (name) => (await history(name))[0]));
    return newest.filter((version) => version !== undefined);
  }

  async function remove(name: string) {
    checkSecretName(name);
    const going = join(values, `.deleted-${randomBytes(6).toString('hex')}`);
    try {
      await rename(folder(name), going); // all versions at once
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    await syncDirectory(values);
    await rm(going, { recursive: true });
    return true;
  }

  return { get, put, list, history, delete: remove };
}

function folderOf(directory: string, name: string): string {
  return join(directory, 'values', encodeURIComponent(name));
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function versionsOf(folder: string): Promise<number[]> {
  const numbers = (await namesIn(folder)).map((file) => Number(/^(\d+)\.age$/.exec(file)?.[1] ?? NaN));
  return numbers.filter((number) => !Number.isNaN(number)).sort((a, b) => b - a);
}

// Whole or not at all, and never over an existing file: the file's name is the compare-and-swap.
async function placeNew(folder: string, name: string, content: Uint8Array | string): Promise<boolean> {
  const temporary = join(folder, `.${randomBytes(6).toString('hex')}`);
  await writeFileAtomic(temporary, content);
  try {
    await link(temporary, join(folder, name));
    await syncDirectory(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function seal(directory: string, content: z.infer<typeof Sealed>): Promise<Uint8Array> {
  const { Encrypter, identityToRecipient } = await import('age-encryption');
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(await identity(directory)));
  return encrypter.encrypt(JSON.stringify(content));
}

async function open(directory: string, name: string, version: number): Promise<z.infer<typeof Sealed>> {
  const { Decrypter } = await import('age-encryption');
  const sealed = await readFile(join(folderOf(directory, name), `${version}.age`));
  try {
    const decrypter = new Decrypter();
    decrypter.addIdentity(await identity(directory));
    const content = Sealed.parse(JSON.parse(await decrypter.decrypt(sealed, 'text')));
    if (content.name === name && content.version === version) return content;
  } catch (error) {
    if (error instanceof AutocodeError) throw error;
    // No cause: a parser's message may quote what it read.
  }
  throw new AutocodeError('ERR_SECRET', `The secret ${name} (version ${version}) cannot be opened.`, {
    remedy:
      'Its file was changed, or identity.txt is not the one that sealed it: restore both from one backup, or put the secret anew.',
  });
}

async function identity(directory: string): Promise<string> {
  const path = join(directory, 'identity.txt');
  const { generateX25519Identity } = await import('age-encryption');
  const text = await readFile(path, 'utf8').catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    await refuseNewIdentity(directory);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
    await placeNew(directory, 'identity.txt', `${await generateX25519Identity()}\n`);
    return await readFile(path, 'utf8');
  });
  return text.trim();
}

// A new identity beside sealed values would hide that the old one is lost.
async function refuseNewIdentity(directory: string): Promise<void> {
  for (const name of await namesIn(join(directory, 'values'))) {
    if ((await versionsOf(join(directory, 'values', name))).length === 0) continue;
    throw new AutocodeError(
      'ERR_SECRET',
      `${join(directory, 'identity.txt')} is missing, but secrets sealed with it are there.`,
      {
        remedy: 'Restore it from a backup, or remove the folder `values` beside it and put the secrets anew.',
      },
    );
  }
}
