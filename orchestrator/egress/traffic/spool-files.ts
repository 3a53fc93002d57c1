// The files of the spool as they lie in their directory, a file an hour: `2026-11-21T22.jsonl`. Written by proxy-addon/spool.py,
// read from their ends, the last hour first, or forwards (spool-reader.ts); removed by retention.
import { readdirSync, statSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^\d{4}-\d\d-\d\dT\d\d\.jsonl$/;
const BLOCK = 256 * 1024;
const NEWLINE = 10;

/** How much the files take. */
export function spoolSize(directory: string): number {
  return hoursIn(directory).reduce(
    (sum, name) => sum + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** Lines of all files since a time, the last first, and what they come to in bytes so far. */
export async function* linesOf(
  directory: string,
  since: string | undefined,
): AsyncGenerator<{ line: string; read: number }> {
  let read = 0;
  for await (const block of blocksOf(directory, since)) {
    for (const line of linesBackwards(block)) {
      read += line.length;
      yield { line: line.toString(), read };
    }
  }
}

/** The same as blocks of whole lines: the last block first, its lines as they stand. */
export async function* blocksOf(directory: string, since: string | undefined): AsyncGenerator<Buffer> {
  const first = since === undefined ? '' : hourOf(since);
  for (const name of hoursIn(directory).toReversed()) {
    if (name < first) return;
    yield* blocksBackwards(join(directory, name));
  }
}

/** Removes the files of hours that ended before a time, but for those that are wanted yet; tells how many. */
export async function removeSpool(directory: string, before: Date, wanted: string[] = []): Promise<number> {
  const last = hourOf(before.toISOString());
  const old = hoursIn(directory).filter((name) => name < last && !wanted.includes(name));
  for (const name of old) await rm(join(directory, name), { force: true });
  return old.length;
}

/** The names of the files, the first hour first. */
export function hoursIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => NAME.test(name))
      .toSorted();
  } catch {
    return []; // nothing has been recorded yet
  }
}

function hourOf(time: string): string {
  return `${new Date(time).toISOString().slice(0, 13)}.jsonl`;
}

async function* blocksBackwards(path: string): AsyncGenerator<Buffer> {
  const file = await open(path, 'r').catch(() => null); // removed meanwhile
  if (file === null) return;
  try {
    let rest = Buffer.alloc(0);
    for (let end = (await file.stat()).size; end > 0;) {
      const start = Math.max(0, end - BLOCK);
      const block = Buffer.alloc(end - start);
      await file.read(block, 0, block.length, start);
      end = start;
      const text = Buffer.concat([block, rest]);
      const whole = start === 0 ? 0 : text.indexOf(NEWLINE) + 1; // the first line begins further in front
      rest = whole === 0 ? text : text.subarray(0, whole);
      if (start === 0) yield text;
      else if (whole > 0) yield text.subarray(whole);
    }
  } finally {
    await file.close();
  }
}

function* linesBackwards(block: Buffer): Generator<Buffer> {
  let till = block.length;
  for (
    let at = block.lastIndexOf(NEWLINE);
    at >= 0;
    at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)
  ) {
    if (at + 1 < till) yield block.subarray(at + 1, till);
    till = at;
  }
  if (till > 0) yield block.subarray(0, till);
}
