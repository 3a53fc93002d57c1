// Bare repositories of the local forge, for projects that have no repository of their own.
// Used by the making of projects and by the demo.
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import { repositoryPath } from './mirror.ts';
import type { RepositoryStore } from './mirror.ts';
import type { OpenedRepository } from './open.ts';
import { authorship } from './submission-commit.ts';

/** Makes the bare repository of the local forge: the branches of `from` (a repository or bundle), or one empty commit. */
export async function hostRepository(
  store: RepositoryStore,
  id: number,
  options: { defaultBranch?: string | undefined; from?: string | undefined } = {},
): Promise<OpenedRepository> {
  const path = repositoryPath(store, id, 'forge.git');
  const defaultBranch = options.defaultBranch ?? 'main';
  // Made beside its place and moved there whole: what a crash leaves is never taken for a repository.
  if (!existsSync(path)) {
    await checkBranchName(store, defaultBranch);
    const draft = `${path}.new`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(dirname(path), { recursive: true });
    await store.git.run(['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`, draft]);
    if (options.from === undefined) await firstCommit(store, draft, defaultBranch);
    else
      await store.git.run(['fetch', '--quiet', '--', options.from, '+refs/heads/*:refs/heads/*'], {
        gitDir: draft,
      });
    await rename(draft, path);
  }
  return { origin: path, defaultBranch, hosted: true };
}

async function checkBranchName({ git }: RepositoryStore, branch: string): Promise<void> {
  await git.run(['check-ref-format', `refs/heads/${branch}`]).catch((cause: unknown) => {
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `${JSON.stringify(branch)} cannot be the name of a branch.`,
      {
        remedy: 'Give one that git takes, as main: without spaces, and without any of ~^:?*[ and \\.',
        cause,
      },
    );
  });
}

async function firstCommit({ git }: RepositoryStore, gitDir: string, branch: string): Promise<void> {
  const env = authorship({ name: 'Autocode', email: 'autocode@localhost' }, new Date(0));
  const tree = await git.text(['hash-object', '-w', '-t', 'tree', '--stdin'], { gitDir, input: '' });
  const commit = await git.text(['commit-tree', '-m', 'Begin', tree], { gitDir, env });
  await git.run(['update-ref', `refs/heads/${branch}`, commit], { gitDir });
}
