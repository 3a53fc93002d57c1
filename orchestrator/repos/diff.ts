// The difference between two commits of a mirror, as bytes: file names and contents need not be UTF-8.
// Used for runs and changes, and by submission to see whether anything changed.
import { AutocodeError } from '../../protocol/errors.ts';
import { CommitId } from '../../protocol/ids.ts';
import { repositoryPath } from './mirror.ts';
import type { RepositoryStore } from './mirror.ts';

export type DiffFormat = 'patch' | 'stat' | 'names';

export interface Diff {
  bytes: Buffer;
  truncated: boolean; // cut off at maxBytes
}

// Names are quoted by git where they hold control characters, so that a line is always one file.
const FLAGS = { patch: ['--patch'], stat: ['--stat=100'], names: ['--name-status'] };
const DEFAULT_MAX_BYTES = 16 << 20;

/** The difference from base to head, at most maxBytes of it. With `folder` the paths of a patch begin with it. */
export async function diff(
  store: RepositoryStore,
  repository: number,
  base: string,
  head: string,
  options: { format: DiffFormat; maxBytes?: number; folder?: string | undefined },
): Promise<Diff> {
  for (const commit of [base, head]) {
    if (!CommitId.safeParse(commit).success)
      throw new AutocodeError('ERR_INVALID_INPUT', `${commit} is not a commit id.`);
  }
  const { folder } = options;
  const prefixes = folder === undefined ? [] : [`--src-prefix=a/${folder}/`, `--dst-prefix=b/${folder}/`];
  const flags = [
    ...prefixes,
    '--no-ext-diff',
    '--no-textconv',
    '--no-color',
    '--find-renames',
    ...FLAGS[options.format],
  ];
  const call = {
    gitDir: repositoryPath(store, repository, 'mirror.git'),
    maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
    doing: `The difference from ${base.slice(0, 12)} to ${head.slice(0, 12)} could not be made`,
  };
  const { stdout, truncated } = await store.git
    .run(['diff', ...flags, base, head, '--'], call)
    .catch((error: unknown) => {
      throw error instanceof AutocodeError && error.message.includes('bad object')
        ? commitGone(error)
        : error;
    });
  return { bytes: stdout, truncated };
}

// A run may report a commit that it never pushed.
function commitGone(cause: AutocodeError): AutocodeError {
  return new AutocodeError('ERR_NOT_FOUND', `${cause.message}: the commit is not in the mirror.`, { cause });
}

/** A diff as text for people: bytes that are not UTF-8 are replaced, and a cut is told. */
export function diffText({ bytes, truncated }: Diff): string {
  const text = bytes.toString();
  return truncated ? `${text}\n[cut off after ${bytes.length} bytes]\n` : text;
}
