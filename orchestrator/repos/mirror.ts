// The orchestrator's copy of a repository. The origin's refs lie under refs/forge, so that pruning them cannot touch
// refs/runs (one a run, pushed by it) and refs/submitted (one a run, what was sent to the origin).
// Used by the start of a run, the git gate, submission and merges.
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Git } from './git.ts';
import { findOrigin } from './origin.ts';

/** Where the repositories lie, and how git is run. */
export interface RepositoryStore {
  git: Git;
  dir: string;
}

export interface Repository {
  id: number;
  origin: string;
}

export interface FetchOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((line: string) => void) | undefined;
}

// A git that was killed leaves lock files that would stop every later fetch. Under refs/forge and for packed-refs a
// fetch is the only writer, and this one has the lock.
const FETCH = `find refs/forge -type f -name '*.lock' -delete 2>/dev/null; rm -f packed-refs.lock; exec git "$@"`;
const STALLED_MS = 10 * 60_000;
const LEFT_OVER_MS = 10 * 60_000;
const ABANDONED_MS = 24 * 60 * 60_000;

/** The place of one of a repository's own git directories. */
export function repositoryPath(store: RepositoryStore, id: number, name: 'mirror.git' | 'forge.git'): string {
  return join(store.dir, String(id), name);
}

/** Brings the mirror up to date with its origin, one fetch at a time; returns the mirror's path. No time limit. */
export async function fetchMirror(
  store: RepositoryStore,
  repository: Repository,
  options: FetchOptions = {},
): Promise<string> {
  const mirror = repositoryPath(store, repository.id, 'mirror.git');
  return await inTurn(mirror, async () => {
    const origin = await findOrigin(repository.origin);
    await makeMirror(store, mirror);
    await removeAbandoned(mirror);
    const refspecs = ['+refs/heads/*:refs/forge/heads/*', '+refs/tags/*:refs/forge/tags/*'];
    const stall = stallGuard(repository.origin, options);
    const flags = ['--prune', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--progress'];
    try {
      await store.git.run(['fetch', ...flags, '--', origin.address, ...refspecs], {
        cwd: mirror,
        gitDir: mirror,
        remote: origin,
        underLock: { file: `${mirror}.lock`, script: FETCH },
        timeoutMs: 0,
        signal: stall.signal,
        onProgress: stall.onProgress,
        code: 'ERR_REPOSITORY_UNREACHABLE',
        doing: `The repository ${repository.origin} could not be fetched`,
      });
    } finally {
      stall.end();
    }
    return mirror;
  });
}

// A fetch may take hours, but not stand still: a forge that is gone without a word would hold up the queue for ever.
function stallGuard(origin: string, { signal, onProgress }: FetchOptions) {
  const stalled = new AbortController();
  const message = `The repository ${origin} could not be fetched: nothing came for ${STALLED_MS / 60_000} minutes.`;
  const timer = setTimeout(
    () => stalled.abort(new AutocodeError('ERR_REPOSITORY_UNREACHABLE', message)),
    STALLED_MS,
  );
  return {
    signal: signal === undefined ? stalled.signal : AbortSignal.any([signal, stalled.signal]),
    onProgress(line: string) {
      timer.refresh();
      onProgress?.(line);
    },
    end: () => clearTimeout(timer),
  };
}

// One after another in this process; git's own run holds the file lock against other processes.
const queues = new Map<string, Promise<unknown>>();

async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const turn = (queues.get(key) ?? Promise.resolve()).then(work, work);
  queues.set(key, turn);
  try {
    return await turn;
  } finally {
    if (queues.get(key) === turn) queues.delete(key);
  }
}

// Made beside its place and moved there whole. Two processes may both make it; one of the two moves wins.
async function makeMirror({ git }: RepositoryStore, mirror: string): Promise<void> {
  if (existsSync(mirror)) return;
  await mkdir(dirname(mirror), { recursive: true, mode: 0o700 });
  const draft = `${mirror}.${process.pid}.new`;
  await rm(draft, { recursive: true, force: true });
  await git.run(['init', '--quiet', '--bare', '--initial-branch=none', draft]);
  await rename(draft, mirror).catch(async (error: unknown) => {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(mirror)) throw error;
  });
}

/** Removes the lock of a ref that has no other writer: a git that was killed left it, and no later one would get by. */
export async function unlockRef(mirror: string, ref: string): Promise<void> {
  await rm(join(mirror, `${ref}.lock`), { force: true });
}

// Half packs of pushes and fetches that were killed fill the disk; a run's ref would stay locked.
async function removeAbandoned(mirror: string): Promise<void> {
  const objects = join(mirror, 'objects');
  const packs = [...(await namesIn(objects)), ...(await namesIn(join(objects, 'pack')))];
  for (const path of packs) if (/\/tmp_[^/]*$/.test(path)) await removeOlder(path, ABANDONED_MS);
  for (const path of await namesIn(join(mirror, 'refs/runs')))
    if (path.endsWith('.lock')) await removeOlder(path, LEFT_OVER_MS);
}

async function removeOlder(path: string, age: number): Promise<void> {
  const { mtimeMs } = (await stat(path).catch(() => undefined)) ?? { mtimeMs: Infinity };
  if (Date.now() - mtimeMs > age) await rm(path, { recursive: true, force: true });
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
}
