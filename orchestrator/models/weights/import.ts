// Weights come into the appliance from a directory or a tar archive on its own disk: looked at first, then copied beside with their sums,
// then renamed, so that there is a whole model or none. Used by `model import`.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { AutocodeError } from '../../../protocol/errors.ts';
import { lockDirectory } from '../../config/directory-lock.ts';
import { damaged, size } from './damaged.ts';
import { inspect, type WeightFile } from './inspect.ts';
import { knownSums, MANIFEST, readManifest, type Manifest } from './manifest.ts';

export interface ImportOptions {
  /** Directory, or tar archive of one, that holds the model. */
  from: string;
  /** The directory of all weights. */
  root: string;
  /** Directory below it; as the bundle says, or the name of `from`, when left out. */
  path?: string;
  progress?(done: number, total: number): void;
}

export interface Imported {
  path: string;
  directory: string;
  files: number;
  bytes: number;
  /** False when it was here already. */
  fresh: boolean;
}

/** What is in the making, or on its way out, in the directory of all weights; removed by the next import when it was cut off. */
export const HALF = '.half-';
/** Left free on the disk. */
const SPARE_BYTES = 256 * 2 ** 20;
const NAME = /^(?!\.)[\w.-]+(\/(?!\.)[\w.-]+)*$/;

/** Brings a model's weights in; again is no harm. */
export async function importWeights(options: ImportOptions): Promise<Imported> {
  const { root, progress = () => {} } = options;
  const from = await realpath(options.from).catch(() => {
    throw damaged(options.from, 'does not exist', 'Give the directory of a model, or a tar archive of one.');
  });
  await mkdir(root, { recursive: true });
  const lock = await onlyImport(root);
  try {
    await removeHalves(root);
    const archive = (await stat(from)).isFile();
    const source = archive ? await unpack(from, root) : from;
    const files = await inspect(source);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const manifest = await readManifest(source);
    const path = options.path ?? manifest?.path ?? basename(from).replace(/\.tar$/, '');
    if (!NAME.test(path))
      throw new AutocodeError('ERR_INVALID_INPUT', `"${path}" is no name for a directory of weights.`, {
        remedy: 'Use letters, digits, dot, dash and underscore: --name Qwen2.5-Coder-7B-Instruct',
      });
    const directory = join(root, path);
    const sums = await knownSums(source);
    const done = { path, directory, files: files.length, bytes };

    if (await exists(directory)) {
      await sameAsHere(source, directory, files, progress);
      return { ...done, fresh: false };
    }
    if (!archive) await roomFor(root, bytes);
    const target = archive ? source : join(root, `${HALF}${path.replaceAll('/', '_')}`);
    const copied = await copyAll(source, target, files, sums, (copiedBytes) => progress(copiedBytes, bytes));
    const kept: Manifest = {
      version: 1,
      path,
      source: manifest?.source ?? null,
      at: new Date().toISOString(),
      files: copied,
    };
    await writeDurably(join(target, MANIFEST), `${JSON.stringify(kept, null, 2)}\n`);
    await mkdir(dirname(directory), { recursive: true });
    await rename(target, directory);
    await syncDirectory(dirname(directory));
    return { ...done, fresh: true };
  } finally {
    await removeHalves(root).catch(() => {}); // what a refused import has left; the next one would do it
    await lock.release();
  }
}

/** Removes what imports and removals that were cut off have left. */
export async function removeHalves(root: string): Promise<void> {
  for (const name of await readdir(root))
    if (name.startsWith(HALF)) await rm(join(root, name), { recursive: true, force: true });
}

/** Taken by whoever changes the directory of all weights. */
export async function onlyImport(root: string) {
  try {
    return await lockDirectory(root, 'weights');
  } catch (cause) {
    throw new AutocodeError('ERR_CONFLICT', `Another import or removal is at work in ${root}.`, {
      remedy: 'Wait until it is done.',
      cause,
    });
  }
}

async function unpack(archive: string, root: string): Promise<string> {
  await roomFor(root, (await stat(archive)).size);
  const target = join(root, `${HALF}archive`);
  await mkdir(target);
  const tar = [
    '--extract',
    '--no-same-owner',
    '--no-same-permissions',
    '--file',
    archive,
    '--directory',
    target,
  ];
  await execa('tar', tar).catch((cause: unknown) => {
    throw damaged(archive, `could not be unpacked: ${(cause as { stderr?: string }).stderr ?? 'tar failed'}`);
  });
  await refuseLinks(target);
  // An archive of a directory, or of what is in it.
  const names = await readdir(target);
  const [only] = names;
  return names.length === 1 && only !== undefined && (await stat(join(target, only))).isDirectory()
    ? join(target, only)
    : target;
}

/** A link in an archive could lead anywhere; one in a directory was made by who has it. */
async function refuseLinks(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true })) {
    const there = await lstat(join(directory, entry));
    if (!there.isFile() && !there.isDirectory())
      throw damaged(
        entry,
        'is a link or a device in the archive',
        'Pack the files themselves (tar --dereference).',
      );
  }
}

async function roomFor(root: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(root);
  const free = bavail * bsize - SPARE_BYTES;
  if (free >= bytes) return;
  throw new AutocodeError(
    'ERR_DISK_FULL',
    `The weights need ${size(bytes)}, and ${root} has ${size(Math.max(0, free))} left.`,
    { remedy: 'Remove a model (`autocode model remove`), or set models.local.weights to a larger disk.' },
  );
}

async function sameAsHere(
  source: string,
  directory: string,
  files: WeightFile[],
  progress: (done: number, total: number) => void,
): Promise<void> {
  const differs = (what: string) =>
    new AutocodeError('ERR_CONFLICT', `${directory} holds another model already: ${what}.`, {
      remedy: 'Remove that one (`autocode model remove`), or import this one under another --name.',
    });
  const here = await readManifest(directory);
  if (here === undefined) throw differs('it has no sums to compare');
  const known = new Map(here.files.map((file) => [file.path, file]));
  const other = files.find(({ path, bytes }) => known.get(path)?.bytes !== bytes);
  if (other !== undefined || known.size !== files.length)
    throw differs(`${other?.path ?? 'its files'} differ`);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const { path } of files) {
    const sum = await sumOf(join(source, path), (count) => progress((done += count), total));
    if (sum !== known.get(path)?.sha256) throw differs(`${path} differs`);
  }
}

/** Copies (or, where source and target are one, reads) all files; answers their sums, which must be those that are known. */
async function copyAll(
  source: string,
  target: string,
  files: WeightFile[],
  sums: Map<string, string>,
  progress: (bytes: number) => void,
): Promise<Manifest['files']> {
  const copied: Manifest['files'] = [];
  let done = 0;
  for (const file of files) {
    const from = join(source, file.path);
    const to = source === target ? undefined : join(target, file.path);
    const sha256 = await sumOf(from, (count) => progress((done += count)), to);
    const known = sums.get(file.path);
    if (known !== undefined && known !== sha256)
      throw damaged(from, `is not what it was: its SHA-256 is ${sha256}, and ${known} is on record`);
    copied.push({ ...file, sha256 });
  }
  return copied;
}

/** SHA-256 of a file, which is copied on the way where `to` is given. */
export async function sumOf(from: string, read: (bytes: number) => void, to?: string): Promise<string> {
  if (to !== undefined) await mkdir(dirname(to), { recursive: true });
  const hash = createHash('sha256');
  const target = to === undefined ? undefined : await open(to, 'w', 0o644);
  try {
    for await (const chunk of createReadStream(from, {
      highWaterMark: 4 * 2 ** 20,
    }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      await target?.write(chunk);
      read(chunk.length);
    }
    await target?.sync();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOSPC') throw cause;
    throw new AutocodeError('ERR_DISK_FULL', `The disk was full before ${to} was whole.`, {
      remedy: 'Make room, then import again.',
      cause,
    });
  } finally {
    await target?.close();
  }
  return hash.digest('hex');
}

async function writeDurably(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flush: true });
  await syncDirectory(dirname(path));
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  await directory.sync().finally(() => directory.close());
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
