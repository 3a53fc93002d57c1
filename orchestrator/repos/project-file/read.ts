// The `.autocode.yaml` of a commit, read from git's objects and never from a work tree.
// Used when a project is made, when a run starts and by the API.
import { PROJECT_FILE } from '../../../protocol/project-file.ts';
import type { FileReading } from '../../../protocol/project-file.ts';
import type { Git } from '../git.ts';
import { FILE_MAX_BYTES, parseProjectFile } from './parse.ts';

const KINDS: Record<string, string> = {
  '120000': 'a symbolic link',
  '160000': 'a submodule',
  '040000': 'a folder',
};

/** What the file says at a commit of a git directory; without one all is null and there are no problems. */
export async function readProjectFile(git: Git, gitDir: string, commit: string): Promise<FileReading> {
  const listing = await git.text(['ls-tree', '--long', commit, '--', PROJECT_FILE], { gitDir });
  if (listing === '') return { commit, content: null, problems: [] };
  const [mode = '', , id = '', size = ''] = listing.split(/\s+/);
  const kind = KINDS[mode];
  if (kind !== undefined) return unreadable(commit, `It is ${kind}.`, 'Make it a plain file.');
  if (Number(size) > FILE_MAX_BYTES)
    return unreadable(
      commit,
      `It has ${size} bytes; at most ${FILE_MAX_BYTES} are read.`,
      'Make it shorter.',
    );
  const { stdout } = await git.run(['cat-file', 'blob', id], { gitDir });
  return { commit, ...parseProjectFile(stdout) };
}

/** The reading of a file that is not looked into. */
export function unreadable(commit: string | null, message: string, remedy: string): FileReading {
  return { commit, content: null, problems: [{ line: null, key: null, message, remedy }] };
}
