// Keeps the worker's cache within its budget: what was not used for longest goes first, what a run uses never. Checkouts,
// environments and caches of dependencies are in use while the directory of a run that said so exists, object caches while there is any run at all.
// Used by the pipeline when it has added a checkout, and by cache-cli.ts.
import { mkdir, readdir, rename, stat, statfs } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { tryLock, waitForLock } from '../lock.ts';
import { removeTree } from '../run-directory.ts';
import { bytesOf, checkoutsDirectory, removeHalfMade } from './cached-checkout.ts';
import { dependenciesDirectory } from './dependencies.ts';
import { environmentsDirectory, halfMade, makingLock } from './environments.ts';
import type { GitContext } from './git.ts';
import { bytesBelow } from './growth.ts';
import { REMOVED, usedByRuns } from './used.ts';

export interface CacheEntry {
  kind: 'checkout' | 'objects' | 'environment' | 'dependencies';
  path: string;
  /** Null for an environment. */
  repository: number | null;
  /** Of a checkout. */
  commit: string | null;
  /** Of an environment. */
  digest: string | null;
  /** The run that left a version of the caches of dependencies. */
  run: string | null;
  bytes: number;
  lastUsed: Date;
  inUse: boolean;
}

/** Of the file system, whatever the budget says. */
const LARGEST_SHARE = 0.25;

/** What the cache of a worker holds, what was used last first. */
export async function cacheEntries(context: GitContext, stateDir: string): Promise<CacheEntry[]> {
  const cacheDir = path.join(stateDir, 'cache');
  const runs = await namesIn(path.join(stateDir, 'runs'));
  const used = await usedByRuns(stateDir);
  const entries: CacheEntry[] = [];
  for (const name of await namesIn(cacheDir)) {
    const repository = Number(/^(\d+)\.git$/.exec(name)?.[1]);
    if (Number.isNaN(repository)) continue;
    const entry = path.join(cacheDir, name);
    const bytes = await bytesBelow(context, entry);
    entries.push({
      kind: 'objects',
      path: entry,
      repository,
      commit: null,
      digest: null,
      run: null,
      bytes,
      lastUsed: await timeOf(entry),
      inUse: runs.length > 0,
    });
  }
  const checkouts = checkoutsDirectory(cacheDir);
  for (const repository of (await namesIn(checkouts)).filter((name) => !name.startsWith('.'))) {
    for (const commit of (await namesIn(path.join(checkouts, repository))).filter(
      (name) => !name.startsWith('.'),
    )) {
      const entry = path.join(checkouts, repository, commit);
      const [bytes, lastUsed] = [await bytesOf(entry), await timeOf(entry)];
      entries.push({
        kind: 'checkout',
        path: entry,
        repository: Number(repository),
        commit,
        digest: null,
        run: null,
        bytes,
        lastUsed,
        inUse: used.has(entry),
      });
    }
  }
  const environments = environmentsDirectory(cacheDir);
  for (const digest of (await namesIn(environments)).filter((name) => !name.startsWith('.'))) {
    const entry = path.join(environments, digest);
    entries.push({
      kind: 'environment',
      path: entry,
      repository: null,
      commit: null,
      digest,
      run: null,
      bytes: await bytesOf(entry),
      lastUsed: await timeOf(entry),
      inUse: used.has(entry),
    });
  }
  const dependencies = dependenciesDirectory(cacheDir);
  for (const name of await versionsIn(dependencies)) {
    const entry = path.join(dependencies, name);
    entries.push({
      kind: 'dependencies',
      path: entry,
      repository: Number(name.split('/')[0]),
      commit: null,
      digest: null,
      run: path.basename(name),
      bytes: await bytesOf(entry),
      lastUsed: await timeOf(entry),
      inUse: used.has(entry),
    });
  }
  return entries.sort((a, b) => b.lastUsed.getTime() - a.lastUsed.getTime());
}

/** Removes entries until the rest fits, and what was half made or half removed. Answers with what it removed. */
export async function pruneCache(
  context: GitContext,
  stateDir: string,
  budgetBytes: number,
): Promise<CacheEntry[]> {
  const cacheDir = path.join(stateDir, 'cache');
  const checkouts = checkoutsDirectory(cacheDir);
  await mkdir(checkouts, { recursive: true, mode: 0o700 });
  const { blocks, bsize } = await statfs(cacheDir);
  const budget = Math.min(budgetBytes, blocks * bsize * LARGEST_SHARE);
  const removed: CacheEntry[] = [];
  const lock = await waitForLock(checkouts, 'checkouts', context.signal);
  try {
    const entries = await cacheEntries(context, stateDir);
    let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const entry of entries.toReversed().filter(({ inUse }) => !inUse)) {
      if (total <= budget) break;
      if (!(await hide(entry, stateDir))) continue;
      total -= entry.bytes;
      removed.push(entry);
    }
  } finally {
    await lock.release();
  }
  await removeLeftovers(cacheDir, checkouts);
  return removed;
}

/** Out of sight at once; the removal itself may take its time, and be cut off. */
async function hide({ kind, path: entry }: CacheEntry, stateDir: string): Promise<boolean> {
  const hidden = path.join(stateDir, 'cache', `${REMOVED}${randomBytes(6).toString('hex')}`);
  if (kind !== 'objects') {
    await rename(entry, hidden);
    return true;
  }
  const fetching = await tryLock(entry, 'cache');
  if (fetching === null) return false;
  try {
    // A run that came meanwhile waits for the lock to fetch, and then makes the cache anew.
    if ((await namesIn(path.join(stateDir, 'runs'))).length > 0) return false;
    await rename(entry, hidden);
    return true;
  } finally {
    await fetching.release();
  }
}

async function removeLeftovers(cacheDir: string, checkouts: string): Promise<void> {
  for (const name of (await namesIn(cacheDir)).filter((each) => each.startsWith(REMOVED))) {
    await removeTree(path.join(cacheDir, name));
  }
  for (const repository of await namesIn(checkouts)) {
    const parent = path.join(checkouts, repository);
    const making = await tryLock(parent, 'making');
    if (making === null) continue;
    try {
      await removeHalfMade(parent);
    } finally {
      await making.release();
    }
  }
  await removeHalfMadeEnvironments(environmentsDirectory(cacheDir));
}

async function removeHalfMadeEnvironments(environments: string): Promise<void> {
  for (const name of await namesIn(environments)) {
    const digest = halfMade(name);
    const making = digest === undefined ? null : await tryLock(environments, makingLock(digest));
    if (making === null) continue;
    try {
      await removeTree(path.join(environments, name));
    } finally {
      await making.release();
    }
  }
}

// As `3/bubblewrap/17-1`: repository, kind, run.
async function versionsIn(dependencies: string): Promise<string[]> {
  const below = async (names: string[]) =>
    (
      await Promise.all(
        names.map(async (name) =>
          (await namesIn(path.join(dependencies, name))).map((each) => path.join(name, each)),
        ),
      )
    ).flat();
  return await below(await below(await namesIn(dependencies)));
}

async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => []);
}

async function timeOf(entry: string): Promise<Date> {
  return (await stat(entry)).mtime;
}
