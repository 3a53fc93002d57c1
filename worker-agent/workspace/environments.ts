// Environments that runs share: `<cache>/environments/<digest>/root/`, fetched once, whole or not at all, never written again.
// A run says which it uses in its own directory, before it does; pruning leaves those alone. Used by the pipeline and by
// environment-cli.ts.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { copyFile, lstat, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { BROWSER_POLICIES } from '../../protocol/browser-trust.ts';
import { EnvironmentFacts, type RunEnvironment } from '../../protocol/environment.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import { waitForLock } from '../lock.ts';
import { removeTree } from '../run-directory.ts';
import type { EnvironmentRoot } from '../sandbox/environment-root.ts';
import { ETC_FILES, OWN_ETC } from '../sandbox/layout.ts';
import { noteUse } from './cached-checkout.ts';
import { command } from './command.ts';
import type { GitContext } from './git.ts';
import { bytesBelow } from './growth.ts';

export interface EnvironmentOptions {
  cacheDir: string;
  environment: RunEnvironment;
  /** Directory of the run that uses it; null: outside a run. */
  runDirectory: string | null;
  /** The archive as it is compressed. */
  download(): Promise<Readable>;
}

const MAKING = '.making-';

/** Where all environments of a cache are. */
export function environmentsDirectory(cacheDir: string): string {
  return path.join(cacheDir, 'environments');
}

/** The lock under which an environment is made; whoever holds it knows that nobody else is at it. */
export const makingLock = (digest: string) => `environment-${digest.slice(0, 16)}`;

/** The root of an environment; fetched if it is not there. Several may ask at once. `made`: just now. */
export async function keepEnvironment(
  context: GitContext,
  options: EnvironmentOptions,
): Promise<EnvironmentRoot & { made: boolean }> {
  const { cacheDir, environment, runDirectory } = options;
  const { name, digest } = environment;
  const parent = environmentsDirectory(cacheDir);
  const entry = path.join(parent, digest);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  if (runDirectory !== null) await noteUse(context, { cacheDir, runDirectory, entry });
  if (await isThere(entry)) return { ...(await readRoot(entry, name)), made: false };
  const making = await waitForLock(parent, makingLock(digest), context.signal);
  try {
    if (await isThere(entry)) return { ...(await readRoot(entry, name)), made: false };
    const half = path.join(parent, `${MAKING}${digest}`);
    await removeTree(half);
    try {
      await make(context, options, half);
      await rename(half, entry);
    } catch (error) {
      await removeTree(half);
      throw error;
    }
    return { ...(await readRoot(entry, name)), made: true };
  } finally {
    await making.release();
  }
}

/** The digest of what somebody was making; undefined for any other name. */
export function halfMade(name: string): string | undefined {
  return name.startsWith(MAKING) ? name.slice(MAKING.length) : undefined;
}

async function isThere(entry: string): Promise<boolean> {
  try {
    await stat(path.join(entry, 'bytes'));
    await utimes(entry, new Date(), new Date()); // its last use, for pruning
    return true;
  } catch {
    return false;
  }
}

async function readRoot(entry: string, name: string): Promise<EnvironmentRoot> {
  const facts = await readFile(path.join(entry, 'environment.json'), 'utf8');
  const { variables } = EnvironmentFacts.parse(JSON.parse(facts));
  return { name, root: path.join(entry, 'root'), variables };
}

// Nothing is unpacked before all of it is there and is what was asked for.
async function make(
  context: GitContext,
  { environment, download }: EnvironmentOptions,
  half: string,
): Promise<void> {
  const { signal } = context;
  const archive = path.join(half, 'archive');
  await mkdir(half, { mode: 0o700 });
  await pipeline(await download(), createWriteStream(archive), { signal });
  const hash = createHash('sha256');
  await pipeline(createReadStream(archive), createZstdDecompress(), hash, { signal }).catch(cutOff);
  const digest = hash.digest('hex');
  if (digest !== environment.digest)
    throw new AutocodeError(
      'ERR_ENVIRONMENT',
      `The archive of environment ${environment.name} is damaged: its digest is ${digest.slice(0, 12)}, not ${environment.digest.slice(0, 12)}.`,
      { remedy: 'Import it again: `autocode environment import`.' },
    );
  await unpack(context, archive, half);
  await rm(archive);
  await writeOwnFiles(path.join(half, 'root', 'etc'));
  await writeFile(path.join(half, 'bytes'), String(await bytesBelow(context, half)));
  await command(context, ['sync', '--file-system', half]);
}

function cutOff(cause: NodeJS.ErrnoException): void {
  if (cause.code?.startsWith('Z') !== true && cause.code !== 'ERR_BUFFER_TOO_LARGE') throw cause; // else the digest tells
}

// As this user's own files: whoever owned them elsewhere is nobody here.
async function unpack({ path: searchPath, signal }: GitContext, archive: string, at: string): Promise<void> {
  const options = ['--extract', '--no-same-owner', '--same-permissions', '--delay-directory-restore'];
  const tar = spawn('tar', [...options, '--directory', at, '--file', '-'], {
    env: { PATH: searchPath, LC_ALL: 'C' },
    stdio: ['pipe', 'ignore', 'pipe'],
    signal,
  });
  let words = '';
  tar.stderr.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-2000)));
  const ended = once(tar, 'close') as Promise<[number | null]>;
  const fed = pipeline(createReadStream(archive), createZstdDecompress(), tar.stdin, { signal });
  const [[code]] = await Promise.all([ended, fed.catch(() => {})]);
  if (code === 0) return;
  const last = words.trim().split('\n').at(-1) ?? '';
  throw new AutocodeError(
    /No space left/.test(words) ? 'ERR_DISK_FULL' : 'ERR_ENVIRONMENT',
    `The environment cannot be unpacked: ${last || `tar ended with ${code}`}.`,
  );
}

/** Who the user inside is, and where names are looked up, is the sandbox's to say. */
export async function writeOwnFiles(etc: string): Promise<void> {
  await mkdir(etc, { recursive: true, mode: 0o755 });
  for (const name of OWN_ETC) {
    await rm(path.join(etc, name), { recursive: true, force: true });
    await copyFile(path.join(ETC_FILES, name), path.join(etc, name));
  }
  for (const { browser, file } of BROWSER_POLICIES) {
    if (existsSync(path.join(etc, '..', browser))) await placeFor(path.join(etc, '..'), file);
  }
}

// A file over which runs have their own; none where a link would lead elsewhere.
async function placeFor(root: string, file: string): Promise<void> {
  let at = root;
  for (const part of path.dirname(file).split('/')) {
    at = path.join(at, part);
    await mkdir(at, { mode: 0o755 }).catch(() => {}); // it is there
    if (!(await lstat(at)).isDirectory()) return;
  }
  await writeFile(path.join(root, file), '{}\n', { flag: 'wx', mode: 0o644 }).catch(() => {}); // it is there
}
