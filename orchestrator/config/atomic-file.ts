// Files that are whole or not there, whenever the process or the machine stops. Used for secrets, tokens and the daemon's address.
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { dataDirectoryError } from './data-directory.ts';

/** Writes a file under another name, flushes it and renames it into place; `like` is whose owner and mode it has then. */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
  like?: { uid: number; gid: number; mode: number },
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      if (like !== undefined) {
        await file.chown(like.uid, like.gid);
        await file.chmod(like.mode & 0o7777);
      }
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw dataDirectoryError(path, error);
  }
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
