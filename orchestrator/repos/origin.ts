// The repository that a project's work comes from and goes to: where it lies, how it is reached, what it has.
// Used when a project is made and by every fetch and push.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Git } from './git.ts';

export interface Origin {
  address: string; // an absolute path or a URL, as git takes it
  local: boolean;
  trusted: string[];
  /** The other side of a push, where it must not run as we do. */
  receivePack: string[];
  /** Who owns a local one, where that is not us. */
  owner: { uid: number; gid: number } | undefined;
}

export interface OriginBranches {
  head: string | undefined; // the branch that HEAD names
  branches: Map<string, string>; // name → commit
}

const LIST_TIMEOUT_MS = 60_000;

/** How to reach an origin. Fails with ERR_REPOSITORY_UNREACHABLE when a path is not there. */
export async function findOrigin(address: string): Promise<Origin> {
  if (!address.startsWith('/'))
    return { address, local: false, trusted: [], receivePack: [], owner: undefined };
  const { uid, gid } = await ownerOf(address);
  const ours = process.getuid?.() ?? 0;
  const owner = uid === ours ? undefined : { uid, gid };
  return {
    address,
    local: true,
    trusted: owner === undefined ? [] : [address, join(address, '.git')],
    // As root, a push would run that user's hooks with root's rights and leave objects that he cannot write beside.
    receivePack:
      owner !== undefined && ours === 0
        ? [
            `--receive-pack=env HOME=/nonexistent GIT_CONFIG_GLOBAL=/dev/null ` +
              `setpriv --reuid=${uid} --regid=${gid} --clear-groups git receive-pack`,
          ]
        : [],
    owner,
  };
}

async function ownerOf(path: string): Promise<{ uid: number; gid: number }> {
  try {
    return await stat(path);
  } catch (error) {
    throw new AutocodeError('ERR_REPOSITORY_UNREACHABLE', `There is no repository at ${path}.`, {
      cause: error,
    });
  }
}

/** The branches of an origin, asked over the wire for a path as for a URL. */
export async function listBranches(git: Git, origin: Origin, signal?: AbortSignal): Promise<OriginBranches> {
  const listing = await git.text(['ls-remote', '--symref', '--', origin.address, 'HEAD', 'refs/heads/*'], {
    remote: origin,
    timeoutMs: LIST_TIMEOUT_MS,
    signal,
    code: 'ERR_REPOSITORY_UNREACHABLE',
    doing: `The repository ${origin.address} could not be read`,
  });
  const found: OriginBranches = { head: undefined, branches: new Map() };
  for (const line of listing.split('\n')) {
    const [left = '', ref = ''] = line.split('\t');
    if (ref === 'HEAD' && left.startsWith('ref: refs/heads/'))
      found.head = left.slice('ref: refs/heads/'.length);
    else if (ref.startsWith('refs/heads/')) found.branches.set(ref.slice('refs/heads/'.length), left);
  }
  return found;
}

/** The error for a branch that an origin does not have, with those that it has. */
export function unknownBranch(
  origin: string,
  branch: string | undefined,
  known: Iterable<string>,
): AutocodeError {
  const names = [...known];
  const listed = names.slice(0, 10).join(', ') + (names.length > 10 ? `, and ${names.length - 10} more` : '');
  return new AutocodeError(
    'ERR_BRANCH_UNKNOWN',
    branch === undefined
      ? `${origin} is on no branch (its HEAD names none that has a commit), so its default branch is not known.`
      : `${origin} has no branch ${branch}.`,
    { remedy: `Name one of its branches: ${listed}.`, details: { branches: names.slice(0, 10) } },
  );
}
