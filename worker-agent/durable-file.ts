// Files that a crash leaves either as they were or as they should be. Used for claims, work orders and a runner's report.
import { open, rename } from 'node:fs/promises';
import path from 'node:path';

/** Writes a file of mode 0600 so that its name never shows half of it: temporary file, fsync, rename, fsync of the directory. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  await syncDirectory(path.dirname(file));
}

/** Makes renames and removals in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
