// Weights that are here: their sums compared again, and their removal. Used by `model verify` and `model remove`.
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { damaged } from './damaged.ts';
import { HALF, onlyImport, sumOf } from './import.ts';
import { inspect } from './inspect.ts';
import { MANIFEST, readManifest } from './manifest.ts';

/** Compares a model's files with the sums of its import; ERR_WEIGHTS with the first that differs. */
export async function verifyWeights(
  directory: string,
  progress: (done: number, total: number) => void = () => {},
): Promise<{ files: number; bytes: number; sums: boolean }> {
  const files = await inspect(directory);
  const manifest = await readManifest(directory);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  let done = 0;
  for (const { path, sha256 } of manifest?.files ?? []) {
    const file = join(directory, path);
    const sum = await sumOf(file, (count) => progress((done += count), bytes)).catch((error: unknown) => {
      throw damaged(file, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
    });
    if (sum !== sha256) throw damaged(file, 'has changed since it was imported: its SHA-256 differs');
  }
  return { files: files.length, bytes, sums: manifest !== undefined };
}

/** Removes a model's directory: at once, or not at all. */
export async function removeWeights(root: string, path: string): Promise<void> {
  const lock = await onlyImport(root);
  try {
    const gone = join(root, `${HALF}removed_${path.replaceAll('/', '_')}`);
    await rm(gone, { recursive: true, force: true });
    await rename(join(root, path), gone);
    await rm(gone, { recursive: true, force: true });
  } finally {
    await lock.release();
  }
}

/** The directories of weights that are here, below the one of all. */
export async function listWeights(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(root).catch(() => [])) {
    if (name.startsWith('.')) continue;
    for (const path of [name, ...(await childrenOf(root, name))])
      if (await isModel(join(root, path))) found.push(path);
  }
  return found.toSorted();
}

async function childrenOf(root: string, name: string): Promise<string[]> {
  const children = await readdir(join(root, name)).catch(() => []);
  return children.map((child) => `${name}/${child}`);
}

async function isModel(directory: string): Promise<boolean> {
  const some = await Promise.all(
    [MANIFEST, 'config.json'].map((name) => stat(join(directory, name)).catch(() => null)),
  );
  return some.some((there) => there !== null);
}
