// The work trees of a run: for the agent, and each time anew for the base and the result that are verified. An overlay over the
// cached checkout of the base where the runner can mount, a checkout of its own elsewhere. Used by the pipeline.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { removeTree } from '../run-directory.ts';
import { cachedCheckout, type CheckoutOptions } from './cached-checkout.ts';
import { checkout, initialise } from './checkout.ts';
import { command } from './command.ts';
import { git, type GitContext } from './git.ts';
import { mountOverlay, unmountBelow } from './overlay.ts';

export interface WorkTreeOptions extends Omit<CheckoutOptions, 'commit'> {
  /** Directory of this tree alone, for what is kept beside it. */
  root: string;
  /** The work tree. */
  tree: string;
  /** What the cached checkout is of. */
  baseCommit: string;
  /** What the tree is to be at. */
  commit: string;
  branch: string;
  /** Whether this process may mount. */
  overlay: boolean;
  /** Whether the tree is to be the owner's too; that of the cached checkout is in any case. */
  handOver: boolean;
}

export type WorkTreeKind = 'overlay' | 'overlay over a checkout made now' | 'checkout';

/** Makes the work tree at a commit, on a branch, and keeps git's index of it where no agent can write: see `startIndex`. */
export async function makeWorkTree(context: GitContext, options: WorkTreeOptions): Promise<WorkTreeKind> {
  const { root, tree, commit, branch, objects } = options;
  await mkdir(root, { recursive: true, mode: 0o700 });
  await mkdir(tree, { recursive: true, mode: 0o700 });
  const kind = options.overlay ? await overlayCheckout(context, options) : 'checkout';
  if (kind === 'checkout') await checkout(context, { tree, commit, branch, objects });
  await copyIndex(path.join(tree, '.git', 'index'), startIndex(root));
  if (options.handOver && options.owner !== null && kind !== 'checkout')
    await handOver(context, options.owner, { root, tree });
  return kind;
}

/** The directory with all that was changed in an overlay; null for a checkout. */
export function changedLayer(root: string): string | null {
  const upper = path.join(root, 'upper');
  return existsSync(upper) ? upper : null;
}

/** Git's index of a work tree as it was made. */
export function startIndex(root: string): string {
  return path.join(root, 'index');
}

/** Removes a work tree with all that is beside it. */
export async function removeWorkTree(context: GitContext, root: string): Promise<void> {
  await unmountBelow(context, root);
  await removeTree(root);
}

async function overlayCheckout(context: GitContext, options: WorkTreeOptions): Promise<WorkTreeKind> {
  const { root, tree, baseCommit, commit, branch, objects } = options;
  const { tree: lower, index, made } = await cachedCheckout(context, { ...options, commit: baseCommit });
  await mountOverlay(
    context,
    { lower, upper: path.join(root, 'upper'), work: path.join(root, 'overlay') },
    tree,
  );
  await initialise(context, { tree, commit, branch, objects });
  const gitDir = path.join(tree, '.git');
  await copyIndex(index, path.join(gitDir, 'index'));
  if (commit !== baseCommit) {
    await git(context, ['read-tree', '--reset', '-u', commit], { cwd: tree, gitDir, workTree: tree });
  }
  return made ? 'overlay over a checkout made now' : 'overlay';
}

// The lower layer is the owner's already; to look at each of its files again would take as long as a checkout. The root is last:
// a tree whose root is the owner's is all the owner's.
async function handOver(
  context: GitContext,
  owner: number,
  { root, tree }: { root: string; tree: string },
): Promise<void> {
  const script =
    'cd "$1/upper" && find . -depth ! -type c -print0 | (cd "$2" && xargs -0 chown --no-dereference "$3:$3" --)';
  await command(context, ['sh', '-c', script, 'sh', root, tree, String(owner)]);
}

/** Copies an index with its time: by it git knows which files may have changed since without their times telling. */
export async function copyIndex(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const { atime, mtime } = await stat(from);
  await utimes(to, atime, mtime);
}
