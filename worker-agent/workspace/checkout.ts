// A work tree with a `.git` of its own, whose objects come from the cache. Used for the agent's workspace and, each time anew,
// for the base and the result that are verified.
import { mkdir, writeFile } from 'node:fs/promises';
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
export async function checkout(
  context: GitContext,
  { tree, commit, branch, objects }: Checkout,
): Promise<void> {
  await mkdir(tree, { recursive: true, mode: 0o700 });
  await git(context, ['init', '--quiet', '--template=', `--initial-branch=${branch}`, tree], { cwd: tree });
  const gitDir = path.join(tree, '.git');
  await borrowObjects(gitDir, objects);
  const settings = {
    'user.name': 'Autocode',
    'user.email': 'autocode@localhost',
    'gc.auto': '0',
    'maintenance.auto': 'false',
  };
  for (const [key, value] of Object.entries(settings))
    await git(context, ['config', key, value], { cwd: tree, gitDir });
  await git(context, ['update-ref', `refs/heads/${branch}`, commit], { cwd: tree, gitDir });
  await git(context, ['reset', '--hard', '--quiet'], { cwd: tree, gitDir, workTree: tree });
}

/** Lets a git directory read the objects of others without owning them. */
export async function borrowObjects(gitDir: string, objects: string[]): Promise<void> {
  await mkdir(path.join(gitDir, 'objects', 'info'), { recursive: true });
  await writeFile(
    path.join(gitDir, 'objects', 'info', 'alternates'),
    objects.map((directory) => `${directory}\n`).join(''),
  );
}
