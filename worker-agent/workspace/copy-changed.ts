// Copies folders that programs in a sandbox have written, beside a copy from before: files that are as they were there become links
// to it, so that a version takes the room of what is new in it. Nothing is followed, and what is no file, directory or link stays
// behind. Used by dependencies.ts.
import { constants, type BigIntStats } from 'node:fs';
import {
  chmod,
  copyFile,
  lchown,
  link,
  lstat,
  mkdir,
  readdir,
  readlink,
  symlink,
  utimes,
} from 'node:fs/promises';
import path from 'node:path';

export interface CopyOptions {
  from: string;
  /** What there was before, which nobody writes; null: nothing. */
  before: string | null;
  to: string;
  /** The folders in `from`; what is beside them stays behind. */
  folders: string[];
  owner: number | null;
  limitBytes: number;
  signal: AbortSignal;
}

export interface Copied {
  files: number;
  bytes: number;
  /** Files that are not as they were before. */
  changed: number;
  /** False: there is more than the limit, and the copy is not complete. */
  whole: boolean;
}

const MOST_FILES = 500_000;
const AT_ONCE = 16;

/** Copies; nothing may write to any of them meanwhile. */
export async function copyChanged(options: CopyOptions): Promise<Copied> {
  const copied: Copied = { files: 0, bytes: 0, changed: 0, whole: true };
  for (const folder of options.folders) {
    const stat = await lstat(path.join(options.from, folder)).catch(() => null);
    if (stat?.isDirectory() === true) await copyFolder(options, folder, copied);
  }
  return copied;
}

async function copyFolder(options: CopyOptions, folder: string, copied: Copied): Promise<void> {
  const { from, to, owner, signal, limitBytes } = options;
  const target = path.join(to, folder);
  await mkdir(target, { mode: 0o755 });
  if (owner !== null) await lchown(target, owner, owner);
  const entries = await readdir(path.join(from, folder), { withFileTypes: true });
  const others = entries.filter((entry) => !entry.isDirectory());
  for (let at = 0; at < others.length && copied.whole; at += AT_ONCE) {
    signal.throwIfAborted();
    const some = others.slice(at, at + AT_ONCE).map(({ name }) => path.join(folder, name));
    await Promise.all(some.map(async (name) => await copyOne(options, name, copied)));
    copied.whole = copied.bytes <= limitBytes && copied.files <= MOST_FILES;
  }
  for (const entry of entries.filter((each) => each.isDirectory())) {
    if (copied.whole) await copyFolder(options, path.join(folder, entry.name), copied);
  }
}

async function copyOne(options: CopyOptions, name: string, copied: Copied): Promise<void> {
  const [source, target] = [path.join(options.from, name), path.join(options.to, name)];
  const stat = await lstat(source, { bigint: true });
  if (!stat.isFile() && !stat.isSymbolicLink()) return;
  copied.files += 1;
  copied.bytes += Number(stat.size);
  if (options.before !== null && (await linkSame(stat, source, path.join(options.before, name), target)))
    return;
  copied.changed += 1;
  if (stat.isSymbolicLink()) await symlink(await readlink(source), target);
  else await copyContents(source, target, stat);
  if (options.owner !== null) await lchown(target, options.owner, options.owner);
}

// Size, mode and time to the nanosecond tell whether a file is as it was; what an agent forges is at worst the old file again.
async function linkSame(now: BigIntStats, source: string, before: string, target: string): Promise<boolean> {
  const was = await lstat(before, { bigint: true }).catch(() => null);
  if (was === null || was.mode !== now.mode || was.size !== now.size) return false;
  if (
    now.isSymbolicLink() ? (await readlink(source)) !== (await readlink(before)) : was.mtimeNs !== now.mtimeNs
  )
    return false;
  return await link(before, target).then(
    () => true,
    () => false, // another file system, or too many links
  );
}

async function copyContents(
  source: string,
  target: string,
  { mode, atimeNs, mtimeNs }: BigIntStats,
): Promise<void> {
  await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await chmod(target, Number(mode) & 0o777);
  await utimes(target, Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9);
}
