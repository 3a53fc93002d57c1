// Looks at a repository before a project is made of it, and says what is wrong with it.
// Used by the making of projects.
import { access, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Git } from './git.ts';
import { maskCredentials } from './git.ts';
import { findOrigin, listBranches, unknownBranch } from './origin.ts';
import { checkObjects, checkWorkingCopy, shellQuoted } from './working-copy.ts';

export interface OpenInput {
  origin: string;
  defaultBranch?: string | undefined;
  allowDirty: boolean;
  /** What a relative path is relative to. */
  cwd?: string | undefined;
}

export interface OpenedRepository {
  origin: string;
  defaultBranch: string;
  hosted: boolean;
}

const URL_FORM = /^(https?|ssh|git|file):\/\/./;
const SCP_FORM = /^([A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][\w.-]*:(?!:)./;

/** Checks a repository and tells its address and default branch; each thing that is wrong has its own error. */
export async function openRepository(git: Git, input: OpenInput): Promise<OpenedRepository> {
  const address = await addressOf(input);
  const origin = await findOrigin(address);
  if (origin.local) await checkWorkingCopy(git, origin, input.allowDirty);
  const { head, branches } = await listBranches(git, origin);
  if (branches.size === 0) {
    throw new AutocodeError('ERR_REPOSITORY_EMPTY', `${address} has no commits yet.`, {
      remedy: 'Commit something first, as a README, so that there is a branch to start from.',
    });
  }
  const defaultBranch = input.defaultBranch ?? head;
  if (defaultBranch === undefined || !branches.has(defaultBranch)) {
    throw unknownBranch(address, input.defaultBranch, branches.keys());
  }
  if (origin.local) await checkObjects(git, origin, defaultBranch);
  return { origin: address, defaultBranch, hosted: false };
}

/** A repository's name from the last part of its address, if that gives one. */
export function repositoryName(origin: string): string | undefined {
  const last = origin
    .replace(/\/+$/, '')
    .replace(/\/?\.git$/, '')
    .replace(/^.*[/:]/s, '');
  const name = last
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63);
  return name === '' ? undefined : name;
}

// A URL stays as it is; a path becomes the absolute top of its repository.
async function addressOf({ origin, cwd }: OpenInput): Promise<string> {
  if (origin.startsWith('file://')) return await topOf(pathOfUrl(origin));
  if (URL_FORM.test(origin)) return withoutSecret(origin);
  const path = cwd === undefined ? origin : resolve(cwd, origin);
  if (path.startsWith('/') && !(SCP_FORM.test(origin) && !(await exists(path)))) return await topOf(path);
  if (SCP_FORM.test(origin)) return origin;
  throw new AutocodeError(
    'ERR_REPOSITORY_UNREACHABLE',
    `${maskCredentials(origin)} is neither an absolute path nor a URL.`,
    {
      remedy:
        'Give a path, or an address that begins with https://, http://, ssh:// or git://, or as git@host:path.',
    },
  );
}

function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new AutocodeError('ERR_REPOSITORY_UNREACHABLE', `${url} is not the address of a file.`, {
      cause: error,
    });
  }
}

// The address is stored and shown, and given to git in its arguments: no place for a password or a token.
function withoutSecret(origin: string): string {
  const url = URL.parse(origin);
  const secret = url?.password !== '' || (url.protocol.startsWith('http') && url.username.length >= 20);
  if (url === null || secret) {
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      url === null
        ? `${maskCredentials(origin)} is not a URL.`
        : `The address of ${url.host} holds a password or token.`,
      { remedy: "Leave it out, and let git's own credential helper or ssh key give it." },
    );
  }
  return origin;
}

async function topOf(path: string): Promise<string> {
  const start = await realpath(path).catch((error: unknown) => {
    throw new AutocodeError(
      'ERR_REPOSITORY_UNREACHABLE',
      `There is nothing at ${path}, or it may not be read.`,
      {
        remedy: 'Check the path.',
        cause: error,
      },
    );
  });
  if ((await stat(start)).isDirectory()) {
    for (let folder = start; ; folder = dirname(folder)) {
      if (await exists(join(folder, '.git'))) return folder;
      if (await isGitDirectory(folder)) return basename(folder) === '.git' ? dirname(folder) : folder;
      if (folder === dirname(folder)) break;
    }
  }
  throw new AutocodeError('ERR_REPOSITORY_UNREACHABLE', `${path} is not a git repository, nor inside one.`, {
    remedy: `Make it one: git -C ${shellQuoted(start)} init, then commit its files.`,
  });
}

async function isGitDirectory(folder: string): Promise<boolean> {
  const parts = await Promise.all(['HEAD', 'objects', 'refs'].map((name) => exists(join(folder, name))));
  return parts.every(Boolean);
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
