// A root directory on this machine, as one that debootstrap or `docker export` filled. Used by read.ts.
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BigIntStats } from 'node:fs';
import { NOT_OF_A_ROOT } from '../../../protocol/environment.ts';
import type { TarEntry } from '../tar/read.ts';
import { bytesOfFile } from './scratch.ts';
import { applyEntry, type Content, note, type Tree } from './tree.ts';

/** Adds all of a directory to the tree; what no run sees is not even looked into. */
export async function addDirectory(tree: Tree, root: string): Promise<void> {
  const contents = new Map<string, Content>();
  await addBelow('');

  async function addBelow(within: string): Promise<void> {
    for (const name of (await readdir(join(root, within))).sort()) {
      const relative = within === '' ? name : `${within}/${name}`;
      if (NOT_OF_A_ROOT.includes(relative)) {
        if ((await readdir(join(root, relative)).catch(() => [])).length > 0) note(tree, `/${relative}`);
        continue;
      }
      const file = join(root, relative);
      const stat = await lstat(file, { bigint: true });
      const entry = entryOf(relative, stat, stat.isSymbolicLink() ? await readlink(file) : '');
      applyEntry(tree, entry, 0, () => contentOf(file, stat));
      if (entry.kind === 'directory') await addBelow(relative);
    }
  }

  function contentOf(file: string, stat: BigIntStats): Content {
    const inode = `${stat.dev}:${stat.ino}`;
    const content = contents.get(inode) ?? { size: Number(stat.size), open: () => bytesOfFile(file) };
    if (stat.nlink > 1n) contents.set(inode, content);
    return content;
  }
}

function entryOf(name: string, stat: BigIntStats, target: string): TarEntry {
  const kind = stat.isDirectory()
    ? 'directory'
    : stat.isFile()
      ? 'file'
      : stat.isSymbolicLink()
        ? 'link'
        : 'other';
  const mtime = Math.max(0, Math.floor(Number(stat.mtimeMs) / 1000));
  return { name, kind, mode: Number(stat.mode) & 0o7777, mtime, size: Number(stat.size), target, offset: 0 };
}
