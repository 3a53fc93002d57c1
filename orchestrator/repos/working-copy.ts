// Looks at a repository on this machine before a project is made of it: whole history, nothing uncommitted, objects there.
// None of the programs that its configuration names is run. Used by open.ts.
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Git, GitOptions } from './git.ts';
import type { Origin } from './origin.ts';

const LISTING_BYTES = 16 << 20;

/** Fails when the history is cut off or changed by grafts, or when there are uncommitted changes that are not allowed. */
export async function checkWorkingCopy(git: Git, origin: Origin, allowDirty: boolean): Promise<void> {
  const path = origin.address;
  const root = process.getuid?.() === 0;
  const where = whereOf(origin);
  const facts = await git
    .text(
      ['rev-parse', '--is-bare-repository', '--is-shallow-repository', '--git-path', 'info/grafts'],
      where,
    )
    .catch((error: unknown) => {
      const whose = origin.owner === undefined ? '' : ` as its owner (uid ${origin.owner.uid})`;
      throw new AutocodeError(
        'ERR_REPOSITORY_UNREACHABLE',
        `git cannot read ${path}${whose}: ${(error as Error).message}`,
        { cause: error },
      );
    });
  const [bare, shallow, grafts = ''] = facts.split('\n');
  if (shallow === 'true') {
    throw new AutocodeError(
      'ERR_REPOSITORY_UNREACHABLE',
      `${path} is a shallow clone: its history is cut off.`,
      { remedy: `Fetch the rest: git -C ${shellQuoted(path)} fetch --unshallow` },
    );
  }
  if (((await stat(resolve(path, grafts)).catch(() => undefined))?.size ?? 0) > 0) {
    throw new AutocodeError(
      'ERR_REPOSITORY_UNREACHABLE',
      `${path} has grafts, which change its history for its own git alone.`,
      { remedy: `Make them replacements: git -C ${shellQuoted(path)} replace --convert-graft-file` },
    );
  }
  if (allowDirty || bare === 'true' || (origin.owner !== undefined && !root)) return;
  await refuseDirty(git, path, where);
}

/** Fails when the objects of a branch are not all to be had, as when the repository that they were borrowed from is gone. */
export async function checkObjects(git: Git, origin: Origin, branch: string): Promise<void> {
  const { exitCode } = await git.run(['cat-file', '-e', `refs/heads/${branch}^{tree}`], {
    ...whereOf(origin),
    accept: [1, 128],
  });
  if (exitCode === 0) return;
  throw new AutocodeError(
    'ERR_REPOSITORY_UNREACHABLE',
    `Objects of the branch ${branch} are missing in ${origin.address}.`,
    {
      remedy: `See git -C ${shellQuoted(origin.address)} fsck; borrowed ones come from the paths in .git/objects/info/alternates.`,
    },
  );
}

// Somebody else's working copy is looked at as its owner, if that can be. Where it cannot, it is not looked at for changes;
// what is fetched are commits alone.
function whereOf(origin: Origin): GitOptions & { cwd: string } {
  const root = process.getuid?.() === 0;
  return {
    cwd: origin.address,
    remote: { trusted: origin.trusted },
    as: root ? origin.owner : undefined,
    env: { GIT_NO_LAZY_FETCH: '1' },
  };
}

async function refuseDirty(git: Git, path: string, where: GitOptions): Promise<void> {
  const flags = [
    '--porcelain',
    '-z',
    '--no-renames',
    '--untracked-files=normal',
    '--ignore-submodules=dirty',
  ];
  const { off, drivers } = await filtersOff(git, where);
  const { stdout, truncated } = await git.run([...off, 'status', ...flags], {
    ...where,
    maxBytes: LISTING_BYTES,
  });
  const entries = stdout.toString('latin1').split('\0').filter(Boolean);
  const filtered =
    drivers.size === 0 || truncated ? new Set<string>() : await filteredBy(git, where, entries, drivers);
  const files = entries
    .map((entry) => entry.slice(3))
    .filter((name) => !filtered.has(name))
    .map((name) => Buffer.from(name, 'latin1').toString());
  if (files.length === 0) return;
  const named = files.slice(0, 5).join(', ') + (files.length > 5 ? ' and others' : '');
  throw new AutocodeError('ERR_REPOSITORY_DIRTY', `${path} has uncommitted changes: ${named}.`, {
    remedy: 'Commit or stash them, or accept that no run will see them with --allow-dirty.',
    details: { files: files.slice(0, 20) },
  });
}

// `git status` puts files through the programs that the configuration names as their filter. Without them a filtered file
// may look changed when it is not: such files are not counted.
async function filtersOff(git: Git, where: GitOptions): Promise<{ off: string[]; drivers: Set<string> }> {
  const { stdout } = await git.run(['config', '-z', '--name-only', '--get-regexp', '^filter\\.'], {
    ...where,
    accept: [1],
  });
  const names = stdout.toString().split('\0').filter(Boolean);
  const drivers = new Set(names.map((name) => name.slice('filter.'.length, name.lastIndexOf('.'))));
  const settings = [...drivers].flatMap((driver) =>
    ['clean=', 'smudge=', 'process=', 'required=false'].map((value) => `filter.${driver}.${value}`),
  );
  return { off: settings.flatMap((setting) => ['-c', setting]), drivers };
}

async function filteredBy(
  git: Git,
  where: GitOptions,
  entries: string[],
  drivers: ReadonlySet<string>,
): Promise<Set<string>> {
  const modified = entries.filter((entry) => entry.startsWith(' M ')).map((entry) => entry.slice(3));
  if (modified.length === 0) return new Set();
  const input = Buffer.from(modified.map((name) => `${name}\0`).join(''), 'latin1');
  const { stdout } = await git.run(['check-attr', '-z', '--stdin', 'filter'], {
    ...where,
    input,
    maxBytes: LISTING_BYTES * 2,
  });
  const fields = stdout.toString('latin1').split('\0');
  const filtered = new Set<string>();
  for (let at = 0; at + 2 < fields.length; at += 3)
    if (drivers.has(fields[at + 2]!)) filtered.add(fields[at]!);
  return filtered;
}

/** A word as a shell takes it, for commands that an error tells the user to type. */
export function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
