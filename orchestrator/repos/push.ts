// One branch of an origin: its commit there, and a push that only replaces what is expected to be there.
// Used by submission and merge.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Git, GitResult } from './git.ts';
import { gitError, maskCredentials } from './git.ts';
import { findOrigin } from './origin.ts';

export interface BranchPush {
  mirror: string;
  origin: string;
  branch: string;
  commit: string;
  expected: string | undefined; // what the branch is at now; undefined: it does not exist
  signal?: AbortSignal | undefined;
}

/** `stale`: the branch is not where it was expected. `refused`: the forge said no, in its own words. */
export type PushAnswer =
  | { answer: 'pushed' }
  | { answer: 'stale' }
  | { answer: 'checked-out' }
  | { answer: 'refused'; reason: string };

const PUSH_TIMEOUT_MS = 30 * 60_000;
const LIST_TIMEOUT_MS = 60_000;
// Another push is at it, or was faster by a moment: perhaps that of a daemon that was killed, whose git goes on.
const OVERTAKEN = /reference already exists|is at \S+ but expected|\.lock': File exists/;
const NO_RIGHTS =
  /returned error: 40[134]|Authentication failed|could not read (Username|Password)|[Pp]ermission( to .*)? denied|access denied|[Rr]epository (\S+ )?not found|not authorized/;

/** The commit of an origin's branch, or undefined when it has none of that name. */
export async function remoteBranch(
  git: Git,
  address: string,
  branch: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const origin = await findOrigin(address);
  const ref = `refs/heads/${branch}`;
  const listing = await git.text(['ls-remote', '--', origin.address, ref], {
    remote: origin,
    timeoutMs: LIST_TIMEOUT_MS,
    signal,
    code: 'ERR_REPOSITORY_UNREACHABLE',
    doing: `The repository ${address} could not be read`,
  });
  const line = listing.split('\n').find((candidate) => candidate.endsWith(`\t${ref}`));
  return line?.split('\t')[0];
}

/** Pushes a commit to a branch. Throws ERR_REPOSITORY_UNREACHABLE where trying again later may help. */
export async function pushBranch(git: Git, push: BranchPush): Promise<PushAnswer> {
  const origin = await findOrigin(push.origin);
  const ref = `refs/heads/${push.branch}`;
  const args = [
    'push',
    '--porcelain',
    '--no-verify',
    `--force-with-lease=${ref}:${push.expected ?? ''}`,
    ...origin.receivePack,
  ];
  const result = await git.run([...args, '--', origin.address, `${push.commit}:${ref}`], {
    gitDir: push.mirror,
    remote: origin,
    timeoutMs: PUSH_TIMEOUT_MS,
    signal: push.signal,
    accept: [1, 128],
    code: 'ERR_REPOSITORY_UNREACHABLE',
  });
  return result.exitCode === 0 ? { answer: 'pushed' } : understand(result, push);
}

function understand(result: GitResult, { origin, branch }: BranchPush): PushAnswer {
  const error = gitError(
    `The branch ${branch} could not be pushed to ${origin}`,
    result,
    'ERR_REPOSITORY_UNREACHABLE',
  );
  if (error.code === 'ERR_DISK_FULL') throw error;
  const [, reason] = /^!\t[^\t]*\t\[?(.*)$/m.exec(result.stdout.toString()) ?? [];
  if (reason?.includes('stale info')) return { answer: 'stale' };
  if (reason?.includes('branch is currently checked out')) return { answer: 'checked-out' };
  const said = forgeWords(result.stderr);
  if (OVERTAKEN.test(result.stderr)) {
    throw new AutocodeError(
      'ERR_REPOSITORY_UNREACHABLE',
      `Another push to ${branch} of ${origin} is under way: ${said}`,
    );
  }
  if (reason !== undefined)
    return {
      answer: 'refused',
      reason: [reason.replace(']', ':').replace(':', ''), said].filter(Boolean).join('\n'),
    };
  if (NO_RIGHTS.test(result.stderr)) return { answer: 'refused', reason: said || error.message };
  throw error;
}

// What the other side and its hooks said; without any, nothing.
function forgeWords(stderr: string): string {
  const lines = maskCredentials(stderr).split(/[\r\n]+/);
  return lines
    .filter((line) => line.startsWith('remote: '))
    .map((line) => line.slice('remote: '.length).trim())
    .filter(Boolean)
    .join('\n')
    .slice(0, 2000);
}
