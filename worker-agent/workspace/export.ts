// The result of a run: the final tree of the work tree as one commit on the base, made with a git directory of the runner's own.
// No git command here ever reads a `.git` that the agent wrote. Used by the pipeline when the agent's processes are gone.
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { borrowObjects } from './checkout.ts';
import { git, gitLine, type GitContext } from './git.ts';
import { gitRemote, type Remote } from './remote.ts';
import { restoreUntouched } from './untouched.ts';
import { copyIndex } from './work-tree.ts';

export interface ExportOptions {
  /** The runner's own git directory, made anew. */
  gitDir: string;
  tree: string;
  cache: string;
  baseCommit: string;
  startCommit: string;
  /** The index of the work tree as it was made at the start commit. */
  index: string;
  /** The layer of an overlay that has all that was changed in the tree; null when the tree is a plain one. */
  changed: string | null;
  message: string;
}

export interface FileChange {
  path: string;
  change: 'added' | 'modified' | 'deleted';
}

export interface Result {
  /** Null when the tree is that of the base. */
  commit: string | null;
  changes: FileChange[];
  /** What could not be part of it, for the log. */
  notices: string[];
}

/** Commits the work tree as it is. Ignored files stay out; what an ignore rule says is the tree's own `.gitignore` files. */
export async function exportTree(context: GitContext, options: ExportOptions): Promise<Result> {
  const { gitDir, tree, cache, baseCommit, startCommit, message } = options;
  await rm(gitDir, { recursive: true, force: true });
  await git(context, ['init', '--quiet', '--bare', '--template=', gitDir], { cwd: path.dirname(gitDir) });
  await borrowObjects(gitDir, [path.join(cache, 'objects')]);
  const inTree = { cwd: tree, gitDir, workTree: tree };
  await copyIndex(options.index, path.join(gitDir, 'index')); // with it, git looks only into files that have changed
  const submodules = await submodulePaths(context, inTree);
  const notices = await removeNestedGit({ tree, walked: options.changed ?? tree, submodules });
  const pathspecs = [
    '.',
    ...submodules.map((submodule) => `:(exclude,literal)${submodule.toString('latin1')}`),
  ];
  await git(context, ['add', '--all', '--pathspec-from-file=-', '--pathspec-file-nul'], {
    ...inTree,
    input: Buffer.from(pathspecs.join('\0'), 'latin1'),
  });
  await restoreUntouched(context, { gitDir, tree, startCommit });
  const treeId = await gitLine(context, ['write-tree'], inTree);
  if (treeId === (await gitLine(context, ['rev-parse', `${baseCommit}^{tree}`], inTree)))
    return { commit: null, changes: [], notices };
  const who = {
    GIT_AUTHOR_NAME: 'Autocode',
    GIT_AUTHOR_EMAIL: 'autocode@localhost',
    GIT_COMMITTER_NAME: 'Autocode',
    GIT_COMMITTER_EMAIL: 'autocode@localhost',
  };
  const commit = await gitLine(context, ['commit-tree', treeId, '-p', baseCommit], {
    ...inTree,
    env: who,
    input: `${message}\n`,
  });
  return { commit, changes: await changesOf(context, gitDir, baseCommit, commit), notices };
}

/** Pushes the commit to the run's ref, whatever an earlier push of this run left there. */
export async function pushCommit(
  context: GitContext,
  remote: Remote,
  { gitDir, commit, ref }: { gitDir: string; commit: string; ref: string },
): Promise<void> {
  await gitRemote(context, remote, ['push', '--quiet', '--force', remote.url, `${commit}:${ref}`], {
    cwd: gitDir,
    gitDir,
  });
}

async function submodulePaths(context: GitContext, call: { cwd: string; gitDir: string }): Promise<Buffer[]> {
  const listing = (await git(context, ['ls-files', '--stage', '-z'], call)).toString('latin1').split('\0');
  return listing
    .filter((line) => line.startsWith('160000 '))
    .map((line) => Buffer.from(line.slice(line.indexOf('\t') + 1), 'latin1'));
}

async function changesOf(
  context: GitContext,
  gitDir: string,
  from: string,
  to: string,
): Promise<FileChange[]> {
  const fields = (
    await git(context, ['diff-tree', '-r', '-z', '--no-renames', '--name-status', from, to], {
      cwd: gitDir,
      gitDir,
    })
  )
    .toString()
    .split('\0');
  const changes: FileChange[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const change = fields[index] === 'A' ? 'added' : fields[index] === 'D' ? 'deleted' : 'modified';
    changes.push({ path: fields[index + 1] ?? '', change });
  }
  return changes;
}

// git would take a directory with a `.git` for a repository of its own and read it. The directory goes; its neighbours are
// plain files from then on. (What looks like `.git` to another file system, no forge accepts in a tree.)
async function removeNestedGit({
  tree,
  walked,
  submodules,
}: {
  tree: string;
  walked: string;
  submodules: Buffer[];
}): Promise<string[]> {
  const notices: string[] = [];
  const skipped = new Set(submodules.map((submodule) => submodule.toString('latin1')));
  async function walk(relative: Buffer): Promise<void> {
    const directory = Buffer.concat([Buffer.from(`${walked}/`), relative]);
    for (const entry of await readdir(directory, { withFileTypes: true, encoding: 'buffer' })) {
      const inner =
        relative.length === 0 ? entry.name : Buffer.concat([relative, Buffer.from('/'), entry.name]);
      if (relative.length === 0 && entry.name.equals(Buffer.from('.git'))) continue; // the agent's own; never looked into
      if (isGitName(entry.name.toString())) {
        await rm(Buffer.concat([Buffer.from(`${tree}/`), inner]), { recursive: true, force: true });
        notices.push(
          `${inner.toString()} is left out: a repository within the repository is not part of the result, its files are.`,
        );
      } else if (entry.isDirectory() && !skipped.has(inner.toString('latin1'))) {
        await walk(inner);
      }
    }
  }
  await walk(Buffer.alloc(0));
  return notices;
}

/** True for `.git` and for every spelling that some file system takes for it. */
export function isGitName(name: string): boolean {
  const plain = name.replaceAll(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '').toLowerCase();
  return /^(\.git|git~1)[. ]*(:.*)?$/.test(plain);
}
