// The object cache of a repository: a bare repository that all runs on this worker read through alternates. While there are runs it
// only ever grows, so that none loses an object. Used by the pipeline.
import { mkdir, readdir, rm, utimes } from 'node:fs/promises';
import path from 'node:path';
import { waitForLock } from '../lock.ts';
import { git, type GitContext } from './git.ts';
import { gitRemote, type Remote } from './remote.ts';

/** The one ref of a cache: what was fetched last, for the next negotiation. */
const LAST = 'refs/heads/last';

/** Brings a ref of the orchestrator into the cache and answers with the cache's path. One fetch at a time. */
export async function fetchIntoCache(
  context: GitContext,
  remote: Remote,
  { cacheDir, repository, ref }: { cacheDir: string; repository: number; ref: string },
): Promise<string> {
  const cache = path.join(cacheDir, `${repository}.git`);
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const lock = await waitForLock(cache, 'cache', context.signal);
  try {
    await mkdir(cache, { recursive: true, mode: 0o700 }); // pruning may have been faster
    await utimes(cache, new Date(), new Date()); // its last use, for pruning
    await removeLeftovers(cache);
    await git(context, ['init', '--quiet', '--bare', '--template=', cache], { cwd: cache });
    const call = { cwd: cache, gitDir: cache };
    await gitRemote(
      context,
      remote,
      ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--force', remote.url, `+${ref}:${LAST}`],
      call,
    );
    const keepAll = {
      'gc.auto': '6700',
      'gc.autoDetach': 'false',
      'gc.pruneExpire': 'never',
      'gc.cruftPacks': 'true',
    };
    await git(context, ['gc', '--auto', '--quiet'], { ...call, config: keepAll });
    return cache;
  } finally {
    await lock.release();
  }
}

// Lock files and half packs of a git that was killed. Whoever holds the cache's lock knows that nobody writes them.
async function removeLeftovers(cache: string): Promise<void> {
  const names = await readdir(cache, { recursive: true });
  const left = names.filter(
    (name) => name.endsWith('.lock') || /(^|\/)tmp_(pack|idx|rev|obj)_/.test(name) || name === 'gc.pid',
  );
  await Promise.all(left.map(async (name) => await rm(path.join(cache, name), { force: true })));
}
