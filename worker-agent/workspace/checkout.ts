// A work tree with a `.git` of its own, whose objects come from the cache. Used by work-tree.ts.
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { git, type GitContext } from './git.ts';

export interface Checkout {
  tree: string;
  commit: string;
  branch: string;
  /** Object directories that the checkout reads from. */
  objects: string[];
}

/** Makes the work tree at a commit, on a branch. There is no remote: work leaves by the runner's own push. */
export async function checkout(context: GitContext, options: Checkout): Promise<void> {
  const { tree } = options;
  await initialise(context, options);
  await git(context, ['reset', '--hard', '--quiet'], {
    cwd: tree,
    gitDir: path.join(tree, '.git'),
    workTree: tree,
    config: { 'checkout.workers': '0' }, // as many as there are processors
  });
}

// In a sandbox files have other owners than outside, and in an overlay other numbers: by these git would take all for changed.
const CONFIG = `[user]
\tname = Autocode
\temail = autocode@localhost
[gc]
\tauto = 0
[maintenance]
\tauto = false
[core]
\ttrustctime = false
\tcheckStat = minimal
`;

/** Makes the `.git` of a work tree, at a commit, on a branch; the files are the caller's. */
export async function initialise(
  context: GitContext,
  { tree, commit, branch, objects }: Checkout,
): Promise<void> {
  await mkdir(tree, { recursive: true, mode: 0o700 });
  await git(context, ['init', '--quiet', '--template=', `--initial-branch=${branch}`, tree], { cwd: tree });
  const gitDir = path.join(tree, '.git');
  await borrowObjects(gitDir, objects);
  await appendFile(path.join(gitDir, 'config'), CONFIG);
  await git(context, ['update-ref', `refs/heads/${branch}`, commit], { cwd: tree, gitDir });
}

/** Lets a git directory read the objects of others without owning them. */
export async function borrowObjects(gitDir: string, objects: string[]): Promise<void> {
  await mkdir(path.join(gitDir, 'objects', 'info'), { recursive: true });
  await writeFile(
    path.join(gitDir, 'objects', 'info', 'alternates'),
    objects.map((directory) => `${directory}\n`).join(''),
  );
}
