// Merges of trees in a mirror, without a work tree. Used where a result is moved to another base, by the start of a run that is to put a
// conflict right, and by looks at changes.
import type { Git } from './git.ts';

/** What lies between two commits of a mirror, and where it is to go. */
export interface Carry {
  mirror: string;
  base: string;
  head: string;
  target: string;
  message: string;
  /** The environment that makes git write as an author at a time. */
  authorship: Record<string, string>;
}

/** A commit upon the target; with conflicts its files have conflict markers. */
export interface Carried {
  commit: string;
  tree: string;
  conflicts: string[];
}

/** Writes what `head` has over `base` as a commit upon `target`, as a rebase would; the same again gives the same commit. */
export async function carry(
  git: Git,
  { mirror: gitDir, base, head, target, message, authorship: env }: Carry,
): Promise<Carried> {
  const write = async (tree: string, ...parents: string[]) =>
    await git.text(['commit-tree', ...parents.flatMap((parent) => ['-p', parent]), '-F', '-', tree], {
      gitDir,
      env,
      input: message,
    });
  // Two commits upon the old base: so that is what git compares both with, whatever their history.
  const common = await write(`${base}^{tree}`);
  const [ours, theirs] = [await write(`${target}^{tree}`, common), await write(`${head}^{tree}`, common)];
  const { tree, conflicts } = await mergedTree(git, gitDir, ours, theirs);
  return { commit: await write(tree, target), tree, conflicts };
}

/** The tree of a merge of two commits, and the files that are in conflict. */
export async function mergedTree(
  git: Git,
  gitDir: string,
  ours: string,
  theirs: string,
): Promise<{ tree: string; conflicts: string[] }> {
  const flags = ['--write-tree', '--allow-unrelated-histories', '--no-messages', '--name-only', '-z'];
  const { stdout } = await git.run(['merge-tree', ...flags, ours, theirs], { gitDir, accept: [1] });
  const [tree = '', ...conflicts] = stdout.toString().split('\0').filter(Boolean);
  return { tree, conflicts };
}

/** Files in a few words. */
export function namedFiles(files: readonly string[]): string {
  return files.slice(0, 10).join(', ') + (files.length > 10 ? ` and ${files.length - 10} more` : '');
}
