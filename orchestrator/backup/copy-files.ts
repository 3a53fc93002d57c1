// Copies the files that matter while the daemon goes on writing them, each with its sum. Used by create.ts.
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface FileEntry {
  path: string; // relative, with slashes
  bytes: number;
  sha256: string;
}

// In a git directory a ref is copied before the objects that it needs, loose objects before packs and loose refs
// before packed ones: whatever git moves meanwhile is found where it went.
const GIT_ORDER = ['HEAD', 'refs', 'packed-refs', 'objects'];

/** Copies a tree without what `skip` names; a file that disappears meanwhile is left out. */
export async function copyTree(from: string, to: string, skip?: RegExp): Promise<void> {
  await mkdir(to, { recursive: true, mode: (await stat(from)).mode & 0o777 });
  for (const name of (await readdir(from)).sort(byOrder)) {
    const [source, target] = [join(from, name), join(to, name)];
    if (skip?.test(name) === true) continue;
    try {
      const entry = await lstat(source);
      if (entry.isDirectory()) await copyTree(source, target, skip);
      else if (entry.isFile()) await copyFile(source, target, constants.COPYFILE_FICLONE);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

// `pack` sorts behind the two-digit directories of loose objects already, and `info` has no objects.
function byOrder(a: string, b: string): number {
  return GIT_ORDER.indexOf(a) - GIT_ORDER.indexOf(b) || (a < b ? -1 : 1);
}

/** All files below a directory with their sums, by path. */
export async function sumFiles(directory: string): Promise<FileEntry[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files: FileEntry[] = [];
  for (const path of paths.sort()) {
    const { size } = await stat(path);
    files.push({ path: path.slice(directory.length + 1), bytes: size, sha256: await sumFile(path) });
  }
  return files;
}

async function sumFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
