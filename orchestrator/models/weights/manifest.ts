// The sums of a model's files, kept beside them: what an import checks, `model verify` compares, and a second import finds.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { damaged } from './damaged.ts';

/** Its name in the model's directory. */
export const MANIFEST = 'autocode-weights.json';
const SUMS = 'SHA256SUMS';

export const Manifest = z.object({
  version: z.literal(1),
  /** Directory below model-weights/ that it is meant for. */
  path: z.string(),
  source: z.object({ repository: z.string(), revision: z.string() }).nullable(),
  at: z.iso.datetime(),
  files: z.array(
    z.object({
      path: z.string(),
      bytes: z.number().int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});
export type Manifest = z.infer<typeof Manifest>;

/** The manifest of a model's directory; undefined when there is none. */
export async function readManifest(directory: string): Promise<Manifest | undefined> {
  const path = join(directory, MANIFEST);
  const text = await textOf(path);
  if (text === undefined) return undefined;
  try {
    return Manifest.parse(JSON.parse(text));
  } catch {
    throw damaged(path, 'cannot be read', 'Remove it, or copy the model again.');
  }
}

/** SHA-256 by path, as a manifest or a file of sha256sum has them. */
export async function knownSums(directory: string): Promise<Map<string, string>> {
  const manifest = await readManifest(directory);
  if (manifest !== undefined) return new Map(manifest.files.map(({ path, sha256 }) => [path, sha256]));
  const lines = ((await textOf(join(directory, SUMS))) ?? '').split('\n');
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const [, sha256, path] = /^([0-9a-f]{64}) [ *](?:\.\/)?(.+)$/.exec(line) ?? [];
      return sha256 === undefined || path === undefined ? [] : [[path, sha256]];
    }),
  );
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
