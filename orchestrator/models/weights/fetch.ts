// Weights from a hub into a bundle: a directory with the model's files and their sums, which `model import` takes on the appliance.
// Files come four at a time, go on where they stopped, and count when their sums are those of the hub. Used by `model fetch`.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../../protocol/errors.ts';
import { damaged, size } from './damaged.ts';
import type { Hub, HubFile, HubModel } from './hub.ts';
import { sumOf } from './import.ts';
import { inspect } from './inspect.ts';
import { MANIFEST, type Manifest } from './manifest.ts';

export interface FetchOptions {
  hub: Hub;
  model: HubModel;
  /** Directory below model-weights/ that it is for; the repository's name when left out. */
  path?: string;
  /** The bundle's directory; made when missing. */
  to: string;
  progress?(done: number, total: number): void;
}

const AT_ONCE = 4;
const TRIES = 5;
const FIRST_PAUSE_MS = 500;
const PART = '.part';

/** Fetches all files that are not there; the same again goes on. */
export async function fetchBundle({
  hub,
  model,
  path,
  to,
  progress = () => {},
}: FetchOptions): Promise<Manifest> {
  await mkdir(to, { recursive: true });
  const total = model.files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const count = (bytes: number) => progress((done += bytes), total);
  await roomFor(to, await missingBytes(to, model.files));
  const waiting = [...model.files];
  const fetched: Manifest['files'] = [];
  const lane = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const sha256 = await fetchFile(hub, model, file, to, count).catch((error: unknown) => {
        waiting.length = 0; // the others end after their file
        throw error;
      });
      fetched.push({ path: file.path, bytes: file.bytes, sha256 });
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  await inspect(to);
  const manifest: Manifest = {
    version: 1,
    path: path ?? basename(model.repository),
    source: { repository: model.repository, revision: model.commit },
    at: new Date().toISOString(),
    files: fetched.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  };
  await writeFile(join(to, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
  return manifest;
}

/** Answers its SHA-256. */
async function fetchFile(
  hub: Hub,
  model: HubModel,
  file: HubFile,
  to: string,
  count: (bytes: number) => void,
): Promise<string> {
  const target = join(to, file.path);
  const part = `${target}${PART}`;
  await mkdir(dirname(target), { recursive: true });
  if ((await bytesOf(target)) === file.bytes && (await hasSum(target, file))) {
    count(file.bytes);
    return await sumOf(target, () => {});
  }
  let counted = 0;
  const counting = (bytes: number) => {
    counted += bytes;
    count(bytes);
  };
  counting(Math.min(await bytesOf(part), file.bytes));
  for (let attempt = 1; (await bytesOf(part)) < file.bytes; attempt++) {
    const before = await bytesOf(part);
    try {
      await append(part, hub.read(model, file, before), counting);
    } catch (error) {
      const again = error instanceof AutocodeError && error.code === 'ERR_HUB_UNAVAILABLE';
      if ((await bytesOf(part)) > before) attempt = 0; // it goes on, if slowly
      if (!again || attempt >= TRIES) throw error;
    }
    if ((await bytesOf(part)) < file.bytes) await delay(FIRST_PAUSE_MS * attempt);
    if (attempt >= TRIES) throw damaged(target, `came short: ${await bytesOf(part)} of ${file.bytes} bytes`);
  }
  if ((await bytesOf(part)) !== file.bytes || !(await hasSum(part, file))) {
    count(-counted);
    await rm(part, { force: true });
    throw damaged(target, 'did not come as the hub has it: its sum differs', 'Run the same command again.');
  }
  const sha256 = file.sum.kind === 'sha256' ? file.sum.value : await sumOf(part, () => {});
  await rename(part, target);
  return sha256;
}

async function append(
  path: string,
  body: AsyncIterable<Buffer>,
  count: (bytes: number) => void,
): Promise<void> {
  const target = await open(path, 'a', 0o644);
  try {
    for await (const chunk of body) {
      await target.write(chunk);
      count(chunk.length);
    }
    await target.sync();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOSPC') throw cause;
    throw new AutocodeError('ERR_DISK_FULL', `The disk was full before ${path} was whole.`, {
      remedy: 'Make room, then run the same command again: it goes on.',
      cause,
    });
  } finally {
    await target.close();
  }
}

async function hasSum(path: string, { bytes, sum }: HubFile): Promise<boolean> {
  if (sum.kind === 'sha256') return (await sumOf(path, () => {})) === sum.value;
  const hash = createHash('sha1').update(`blob ${bytes}\0`);
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex') === sum.value;
}

async function missingBytes(to: string, files: HubFile[]): Promise<number> {
  let missing = 0;
  for (const { path, bytes } of files) {
    const there = Math.max(await bytesOf(join(to, path)), await bytesOf(join(to, `${path}${PART}`)));
    missing += Math.max(0, bytes - there);
  }
  return missing;
}

async function roomFor(to: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(to);
  if (bavail * bsize >= bytes) return;
  throw new AutocodeError(
    'ERR_DISK_FULL',
    `${size(bytes)} are to come, and ${to} has ${size(bavail * bsize)} left.`,
    {
      remedy: 'Make room, or choose another place with --to.',
    },
  );
}

async function bytesOf(path: string): Promise<number> {
  return await stat(path).then(
    (there) => there.size,
    () => 0,
  );
}
