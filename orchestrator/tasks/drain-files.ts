// The two files by which a deployment asks for a shutdown and learns that it is safe: the flag file, read, and the ready
// file, written. Used by drain-keeper.ts.
import { open, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../config/atomic-file.ts';

/** More than this is no flag. */
const MOST_BYTES = 64;
const WORDS: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

/** What the flag file says, or why that cannot be told: then holds what it said before. */
export type Flag = boolean | { unclear: string };

/** Reads the flag file; one that is not there says no. */
export async function readFlag(path: string): Promise<Flag> {
  let text: string;
  try {
    text = await readBeginning(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && (await isDirectory(dirname(path)))) return false;
    return { unclear: `The flag file ${path} cannot be read: ${message}.` };
  }
  const said = WORDS[text.trim().toLowerCase()];
  if (said !== undefined) return said;
  const content = text.trim() === '' ? 'empty' : JSON.stringify(text.slice(0, 20));
  return { unclear: `The flag file ${path} is ${content}; it should be true or false.` };
}

async function readBeginning(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

// A file system that is not mounted says nothing about the flag.
async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Says that nothing is at work: whole and on disk, or not at all. */
export async function writeReady(path: string, at: Date): Promise<void> {
  await writeFileAtomic(path, `true\n${at.toISOString()}\n`, 0o644);
}

/** Takes that back, at every start; tells what keeps it from being removed, or null. */
export async function removeReady(path: string): Promise<string | null> {
  try {
    await rm(path, { force: true });
    return null;
  } catch (error) {
    return `The ready file ${path} is of an earlier shutdown and cannot be removed: ${(error as Error).message}.`;
  }
}
