// Checkouts that runs share: `<cache>/checkouts/<repository>/<commit>/`, made once, whole or not at all, never written again.
// A run says which it uses in its own directory, before it does; pruning leaves those alone. Used by work-tree.ts.
import { appendFile, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { waitForLock } from '../lock.ts';
import { borrowObjects } from './checkout.ts';
import { command } from './command.ts';
import { git, type GitContext } from './git.ts';
import { bytesBelow } from './growth.ts';

export interface CheckoutOptions {
  cacheDir: string;
  repository: number;
  commit: string;
  /** Object directories that have the commit. */
  objects: string[];
  /** Directory of the run that uses it. */
  runDirectory: string;
  /** User and group of the files, where they are not to be this process's. */
  owner: number | null;
}

export interface CachedCheckout {
  tree: string;
  /** Git's index of the tree: with it, git looks only into files that have changed. */
  index: string;
  /** Whether it was made just now. */
  made: boolean;
}

const MAKING = '.making-';
const USED = 'checkouts';

/** Where all checkouts of a cache are; its lock is held to say that one is used, and to prune. */
export function checkoutsDirectory(cacheDir: string): string {
  return path.join(cacheDir, 'checkouts');
}

/** The checkout of a commit; made if there is none. Several may ask at once. */
export async function cachedCheckout(context: GitContext, options: CheckoutOptions): Promise<CachedCheckout> {
  const parent = path.join(checkoutsDirectory(options.cacheDir), String(options.repository));
  const entry = path.join(parent, options.commit);
  const answer = { tree: path.join(entry, 'tree'), index: path.join(entry, 'index') };
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await noteUse(context, { ...options, entry });
  if (await isThere(entry)) return { ...answer, made: false };
  const making = await waitForLock(parent, 'making', context.signal);
  try {
    if (await isThere(entry)) return { ...answer, made: false };
    await removeHalfMade(parent);
    await make(context, options, path.join(parent, `${MAKING}${options.commit}`), entry);
    return { ...answer, made: true };
  } finally {
    await making.release();
  }
}

/** Says in a run's directory that it uses an entry of the cache; no pruning is under way meanwhile. */
export async function noteUse(
  context: GitContext,
  { cacheDir, runDirectory, entry }: { cacheDir: string; runDirectory: string; entry: string },
): Promise<void> {
  const all = checkoutsDirectory(cacheDir);
  await mkdir(all, { recursive: true, mode: 0o700 });
  const using = await waitForLock(all, 'checkouts', context.signal);
  try {
    await appendFile(path.join(runDirectory, USED), `${entry}\n`);
  } finally {
    await using.release();
  }
}

/** The entries that a run has said it uses. */
export async function usedBy(runDirectory: string): Promise<string[]> {
  const text = await readFile(path.join(runDirectory, USED), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean);
}

/** Removes what a maker that died has left. Whoever holds the repository's lock knows that nobody is making anything. */
export async function removeHalfMade(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(MAKING));
  await Promise.all(
    names.map(async (name) => await rm(path.join(parent, name), { recursive: true, force: true })),
  );
}

/** Bytes of an entry, as they were when it was made. */
export async function bytesOf(entry: string): Promise<number> {
  return Number(await readFile(path.join(entry, 'bytes'), 'utf8').catch(() => '0')) || 0;
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

async function make(
  context: GitContext,
  { commit, objects, owner }: CheckoutOptions,
  half: string,
  entry: string,
): Promise<void> {
  const [tree, gitDir, index] = ['tree', 'git', 'index'].map((name) => path.join(half, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(tree, { recursive: true });
  await git(context, ['init', '--quiet', '--bare', '--template=', gitDir], { cwd: half });
  await borrowObjects(gitDir, objects);
  const call = {
    cwd: tree,
    gitDir,
    workTree: tree,
    env: { GIT_INDEX_FILE: index },
    config: { 'checkout.workers': '0' },
  };
  await git(context, ['read-tree', '--reset', '-u', commit], call);
  if (owner !== null) {
    await command(context, ['chown', '--recursive', '--no-dereference', `${owner}:${owner}`, '--', tree]);
    // The new owner has changed the files' times of change, which the index tells by.
    await git(context, ['update-index', '-q', '--refresh'], call);
  }
  await rm(gitDir, { recursive: true });
  await writeFile(path.join(half, 'bytes'), String(await bytesBelow(context, half)));
  // A machine that stops must not leave a checkout whose name is on the disk and whose files are not.
  await command(context, ['sync', '--file-system', half]);
  await rename(half, entry);
}
