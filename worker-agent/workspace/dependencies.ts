// Caches of dependencies that outlast runs: `<cache>/dependencies/<repository>/<kind>/<run>/tree/`, each a version that the run of
// that name left, whole or not at all, never written again. Package managers find them in HOME, over links that are made here; a
// run says which version it uses in its own directory, before it does. Used by pipeline/dependencies.ts and prune.ts.
import {
  lchown,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { waitForLock } from '../lock.ts';
import { removeTree } from '../run-directory.ts';
import { checkoutsDirectory, noteUse } from './cached-checkout.ts';
import { command } from './command.ts';
import { copyChanged, type Copied } from './copy-changed.ts';
import type { GitContext } from './git.ts';
import { mountOverlay, unmountBelow } from './overlay.ts';
import { REMOVED, usedByRuns } from './used.ts';

/**
 * Where package managers look in HOME, and the folder that is kept for it. What they fetched, and nothing that they take for settings
 * or start unseen: no `.cargo/config.toml`, no `.gradle/init.d`, no `.npm/_npx`.
 */
const PLACES: Record<string, string> = {
  '.npm/_cacache': 'npm',
  '.cache/yarn': 'yarn',
  '.yarn/berry/cache': 'yarn-berry',
  '.local/share/pnpm/store': 'pnpm',
  '.cache/pip': 'pip',
  '.cache/uv': 'uv',
  '.cargo/registry/index': 'cargo-index',
  '.cargo/registry/cache': 'cargo-crates',
  '.cargo/git/db': 'cargo-git',
  'go/pkg/mod/cache/download': 'go',
  '.m2/repository': 'maven',
  '.gradle/caches/modules-2': 'gradle',
};
const FOLDERS = Object.values(PLACES);
const IN_HOME = '.dependencies';
/** What a sandbox has written over a version, beside its tree. */
const LAYER = 'dependencies';

/** Where the versions of a repository are. */
export interface Shelf {
  cacheDir: string;
  repository: number;
  /** Isolation and environment: what one has fetched is of no use to the other. */
  kind: string;
}

export interface LaidOut {
  /** The version whose files are there at first; null: none. */
  given: string | null;
  /** Of one sandbox: what is kept beside its tree, and its HOME. */
  root: string;
  home: string;
  overlay: boolean;
  /** Whom the files are to belong to, where not to this process's user. */
  owner: number | null;
}

/** Where all caches of dependencies are. */
export function dependenciesDirectory(cacheDir: string): string {
  return path.join(cacheDir, 'dependencies');
}

/** The first of these versions that is here, and removes all others of the repository that no run uses. */
export async function chooseVersion(
  context: GitContext,
  shelf: Shelf,
  versions: string[],
  runDirectory: string,
): Promise<string | null> {
  const entries = versions.map((run) => entryOf(shelf, run));
  let chosen: string | null = null;
  for (const entry of entries) {
    if (!(await isThere(entry))) continue;
    await noteUse(context, { cacheDir: shelf.cacheDir, runDirectory, entry });
    if (!(await isThere(entry))) continue; // pruning was faster
    await utimes(entry, new Date(), new Date()); // its last use, for pruning
    chosen = entry;
    break;
  }
  await removeOthers(context, shelf, (kind, run) =>
    kind === shelf.kind ? entryOf(shelf, run) === chosen : versions.includes(run),
  );
  return chosen;
}

/** Makes a HOME with the caches: the files of a version, and links that lead to them. When that fails, there is no HOME. */
export async function layOut(context: GitContext, options: LaidOut): Promise<void> {
  try {
    await fill(context, options);
  } catch (error) {
    await unmountBelow(context, options.home);
    await removeTree(options.home);
    throw error;
  }
}

async function fill(context: GitContext, { given, root, home, overlay, owner }: LaidOut): Promise<void> {
  const at = path.join(home, IN_HOME);
  await mkdir(at, { recursive: true, mode: 0o700 });
  for (const [place, folder] of Object.entries(PLACES)) {
    const link = path.join(home, place);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(path.relative(path.dirname(link), at), folder), link);
  }
  if (owner !== null)
    await command(context, ['chown', '--recursive', '--no-dereference', `${owner}:${owner}`, '--', home]);
  if (given !== null) await bring(context, path.join(given, 'tree'), { root, at, overlay });
  for (const folder of FOLDERS) await mkdir(path.join(at, folder), { recursive: true });
  if (owner === null) return;
  for (const each of [at, ...FOLDERS.map((folder) => path.join(at, folder))])
    await lchown(each, owner, owner);
}

async function bring(
  context: GitContext,
  lower: string,
  { root, at, overlay }: { root: string; at: string; overlay: boolean },
): Promise<void> {
  if (!overlay) {
    await command(context, ['cp', '--archive', '--reflink=auto', '--', `${lower}/.`, at]);
    return;
  }
  await mountOverlay(
    context,
    { lower, upper: path.join(root, LAYER), work: path.join(root, `${LAYER}-work`) },
    at,
  );
}

/** Takes what a sandbox has made of its caches, when nothing runs there any more, for a version; null when nothing has changed. */
export async function takeOut(
  context: GitContext,
  { given, root, home, owner }: Omit<LaidOut, 'overlay'>,
  made: string,
  limitBytes: number,
): Promise<(Copied & { version: string }) | null> {
  await removeTree(made);
  const layer = path.join(root, LAYER);
  if (given !== null && existsSync(layer) && !(await hasFiles(layer))) return null; // none was even opened for writing
  const tree = path.join(made, 'tree');
  await mkdir(tree, { recursive: true, mode: 0o755 });
  const copied = await copyChanged({
    from: path.join(home, IN_HOME),
    before: given === null ? null : path.join(given, 'tree'),
    to: tree,
    folders: FOLDERS,
    owner,
    limitBytes,
    signal: context.signal,
  });
  if (!copied.whole) {
    await removeTree(tree);
    await mkdir(tree, { mode: 0o755 });
  }
  const before = given === null ? 0 : Number(await readFile(path.join(given, 'files'), 'utf8'));
  if (copied.whole && copied.changed === 0 && copied.files === before) {
    await removeTree(made);
    return null;
  }
  await writeFile(path.join(made, 'files'), String(copied.whole ? copied.files : 0));
  await writeFile(path.join(made, 'bytes'), String(copied.whole ? copied.bytes : 0));
  return { ...copied, version: made };
}

/** Puts a version on its shelf. A machine that stops leaves all of it or nothing. */
export async function putOnShelf(
  context: GitContext,
  shelf: Shelf,
  run: string,
  made: string,
): Promise<string> {
  const entry = entryOf(shelf, run);
  await mkdir(path.dirname(entry), { recursive: true, mode: 0o700 });
  await command(context, ['sync', '--file-system', made]);
  await removeTree(entry);
  await rename(made, entry);
  return entry;
}

/** Removes a version that is not to count after all. */
export async function takeFromShelf(entry: string): Promise<void> {
  await rm(path.join(entry, 'bytes'), { force: true });
  await removeTree(entry);
}

// What was removed is a file of its own kind there.
async function hasFiles(directory: string): Promise<boolean> {
  for (const entry of await readdir(directory, { withFileTypes: true }))
    if (!entry.isDirectory() || (await hasFiles(path.join(directory, entry.name)))) return true;
  return false;
}

function entryOf({ cacheDir, repository, kind }: Shelf, run: string): string {
  return path.join(dependenciesDirectory(cacheDir), String(repository), kind, run);
}

async function isThere(entry: string): Promise<boolean> {
  return await stat(path.join(entry, 'bytes')).then(
    () => true,
    () => false,
  );
}

async function removeOthers(
  context: GitContext,
  { cacheDir, repository }: Shelf,
  isKept: (kind: string, run: string) => boolean,
): Promise<void> {
  const all = path.join(dependenciesDirectory(cacheDir), String(repository));
  const hidden: string[] = [];
  await mkdir(checkoutsDirectory(cacheDir), { recursive: true, mode: 0o700 });
  const lock = await waitForLock(checkoutsDirectory(cacheDir), 'checkouts', context.signal);
  try {
    const used = await usedByRuns(path.dirname(cacheDir));
    for (const kind of await namesIn(all)) {
      for (const run of await namesIn(path.join(all, kind))) {
        const entry = path.join(all, kind, run);
        if (isKept(kind, run) || used.has(entry)) continue;
        const out = path.join(cacheDir, `${REMOVED}${randomBytes(6).toString('hex')}`);
        await rename(entry, out);
        hidden.push(out);
      }
    }
  } finally {
    await lock.release();
  }
  for (const each of hidden) await removeTree(each);
}

async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => []);
}
