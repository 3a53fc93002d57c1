// Records that Elasticsearch takes in no form: a file each, with its reason, for a person to look at. They keep nothing else up. The
// same record is the same file. Used by ship.ts and open.ts.
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../config/atomic-file.ts';
import type { Document } from './document.ts';

/** With more than these, only the count in the log grows. */
const MOST = 1_000;

/** Keeps one. */
export async function keepRejected(
  directory: string,
  { id, event, source }: Document,
  reason: string,
): Promise<void> {
  if ((await countRejected(directory)) >= MOST) return;
  await mkdir(directory, { recursive: true, mode: 0o750 });
  const name = `${id.replaceAll(/[^\w-]/g, '_').slice(0, 100)}-${event}.json`;
  await writeFileAtomic(
    join(directory, name),
    `${JSON.stringify({ reason, record: JSON.parse(source) }, null, 1)}\n`,
  );
}

/** How many there are. */
export async function countRejected(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => name.endsWith('.json')).length;
}
