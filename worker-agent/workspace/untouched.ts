// Files that nobody touched but that git would commit changed, because their bytes in the repository are not what their
// attributes ask for (line ends, encodings): the result of a run is not to mend them. Used by the export.
import { open, lstat, mkdir, rm } from 'node:fs/promises';
import { git, type GitContext } from './git.ts';

export interface StartOptions {
  gitDir: string;
  tree: string;
  startCommit: string;
}

interface Entry {
  mode: string;
  id: string;
  path: Buffer;
}

const CHUNK = 1 << 20;

/** Puts entries of the index back to those of the start where the file holds exactly what a checkout of the start writes. */
export async function restoreUntouched(
  context: GitContext,
  { gitDir, tree, startCommit }: StartOptions,
): Promise<void> {
  const suspects = await modifiedFiles(context, gitDir, startCommit);
  if (suspects.length === 0) return;
  const scratch = `${gitDir}.start`;
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { mode: 0o700 });
  try {
    // An empty work tree: the attributes are those of the start, whatever the agent made of them.
    const atStart = {
      cwd: scratch,
      gitDir,
      workTree: scratch,
      env: { GIT_INDEX_FILE: `${gitDir}/start-index` },
    };
    await git(context, ['read-tree', startCommit], atStart);
    const names = Buffer.concat(suspects.flatMap(({ path }) => [path, Buffer.from('\0')]));
    await git(context, ['checkout-index', '--quiet', '-z', '--stdin'], { ...atStart, input: names });
    const untouched: Buffer[] = [];
    for (const { mode, id, path } of suspects) {
      if (await sameFile(within(scratch, path), within(tree, path)))
        untouched.push(Buffer.from(`${mode} ${id}\t`), path, Buffer.from('\0'));
    }
    await git(context, ['update-index', '-z', '--index-info'], {
      cwd: tree,
      gitDir,
      workTree: tree,
      input: Buffer.concat(untouched),
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

// `:<mode> <mode> <id> <id> M` NUL `<path>` NUL: plain files whose contents alone differ.
async function modifiedFiles(context: GitContext, gitDir: string, startCommit: string): Promise<Entry[]> {
  const flags = ['--cached', '--raw', '--no-abbrev', '-z', '--no-renames', '--diff-filter=M'];
  const output = await git(context, ['diff-index', ...flags, startCommit], { cwd: gitDir, gitDir });
  const entries: Entry[] = [];
  for (let at = 0; at < output.length;) {
    const end = output.indexOf(0, at);
    const next = output.indexOf(0, end + 1);
    const [mode = '', newMode = '', id = ''] = output.toString('latin1', at + 1, end).split(' ');
    if (mode === newMode && mode.startsWith('100'))
      entries.push({ mode, id, path: output.subarray(end + 1, next) });
    at = next + 1;
  }
  return entries;
}

function within(folder: string, path: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), path]);
}

async function sameFile(one: Buffer, other: Buffer): Promise<boolean> {
  const [a, b] = await Promise.all(
    [one, other].map(async (path) => await lstat(path).catch(() => undefined)),
  );
  if (!a?.isFile() || !b?.isFile() || a.size !== b.size) return false;
  await using left = await open(one);
  await using right = await open(other);
  const [expected, found] = [Buffer.alloc(CHUNK), Buffer.alloc(CHUNK)];
  for (let at = 0; at < a.size; at += CHUNK) {
    const [{ bytesRead }] = await Promise.all([
      left.read(expected, 0, CHUNK, at),
      right.read(found, 0, CHUNK, at),
    ]);
    if (!expected.subarray(0, bytesRead).equals(found.subarray(0, bytesRead))) return false;
  }
  return true;
}
