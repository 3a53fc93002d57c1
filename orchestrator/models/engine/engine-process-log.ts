// What an engine's process prints: one file a replica, cut to size, each launch with a line at its head. Used by vllm.ts.
import { appendFile, copyFile, mkdir, open, rename, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import type { Launch } from './managed.ts';

const LARGEST_BYTES = 16 * 1024 * 1024;
const TAIL_BYTES = 64 * 1024;

/** The file of a replica, with a line that begins this launch's part. */
export async function beginLog(directory: string, launch: Launch): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = path.join(directory, `${launch.model.name}-${launch.replica}.log`);
  await appendFile(file, `${heading(launch.id)} ${new Date().toISOString()}\n`, { mode: 0o600 });
  return file;
}

/** Keeps it and its two predecessors below 16 MiB each. The engine goes on writing at the end of the same file, so that is emptied, not moved. */
export async function rotateLog(file: string, largest = LARGEST_BYTES): Promise<void> {
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  if (size <= largest) return;
  await rename(`${file}.1`, `${file}.2`).catch(() => {});
  await copyFile(file, `${file}.1`);
  await truncate(file);
}

/** The end of what a launch has printed; nothing of the launches before. */
export async function logTail(file: string, launch: string): Promise<string> {
  const text = await lastBytes(file).catch(() => '');
  const head = text.lastIndexOf(heading(launch));
  return head < 0 ? text : text.slice(text.indexOf('\n', head) + 1);
}

async function lastBytes(file: string): Promise<string> {
  await using handle = await open(file);
  const { size } = await handle.stat();
  const length = Math.min(size, TAIL_BYTES);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString('utf8', 0, bytesRead);
}

const heading = (launch: string) => `── launch ${launch}`;
