// Images: what `docker save` writes, and OCI image layouts, as directories or archives. No registry is asked. Used by read.ts.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Part } from '../tar/input.ts';
import { bytesOf } from '../tar/input.ts';

/** The files of an image by name; undefined: there is none. */
export type Files = (name: string) => Promise<Part | undefined>;

/** Layers from the lowest up, and the environment that its programs expect. */
export interface Image {
  layers: Part[];
  variables: string[];
}

const Manifests = z.array(
  z.object({ Config: z.string(), Layers: z.array(z.string()), RepoTags: z.array(z.string()).nullish() }),
);
const Descriptor = z.object({
  mediaType: z.string().optional(),
  digest: z.string().regex(/^[a-z0-9]+:[a-f0-9]+$/),
  platform: z.object({ architecture: z.string(), os: z.string() }).optional(),
});
const Index = z.object({ manifests: z.array(Descriptor) });
const Manifest = z.object({ config: Descriptor, layers: z.array(Descriptor) });
const Config = z.object({
  architecture: z.string().optional(),
  config: z.object({ Env: z.array(z.string()).nullish() }).nullish(),
});

const LARGEST_JSON = 16 * 1024 * 1024;
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/** The image in an archive of `docker save`, or in an OCI layout; null when the files are those of neither. */
export async function imageIn(files: Files): Promise<Image | null> {
  if ((await files('oci-layout')) !== undefined && (await files('index.json')) !== undefined)
    return await ociImage(files);
  return (await files('manifest.json')) === undefined ? null : await savedImage(files);
}

async function savedImage(files: Files): Promise<Image | null> {
  const manifests = Manifests.safeParse(await json(files, 'manifest.json'));
  if (!manifests.success) return null; // a root that has a file of that name
  const { Config: config, Layers: layers } = only(
    manifests.data,
    ({ RepoTags: tags }) => tags?.join(', ') ?? '?',
  );
  return {
    layers: await Promise.all(layers.map(async (layer) => await file(files, layer))),
    variables: await variablesOf(files, config),
  };
}

async function ociImage(files: Files): Promise<Image> {
  const manifest = await manifestFor(files, 'index.json');
  return {
    layers: await Promise.all(manifest.layers.map(async ({ digest }) => await blob(files, digest))),
    variables: await variablesOf(files, blobName(manifest.config.digest)),
  };
}

async function manifestFor(files: Files, name: string, depth = 0): Promise<z.infer<typeof Manifest>> {
  const index = await document(files, name, Index);
  const here = ARCHITECTURES[process.arch];
  const fitting = index.manifests.filter(
    ({ platform }) => platform === undefined || (platform.os === 'linux' && platform.architecture === here),
  );
  const chosen = only(fitting, ({ digest }) => digest);
  const inner = blobName(chosen.digest);
  if (!Index.safeParse(await json(files, inner)).success) return await document(files, inner, Manifest);
  if (depth > 1) throw notRead('indices in indices without end');
  return await manifestFor(files, inner, depth + 1);
}

async function variablesOf(files: Files, name: string): Promise<string[]> {
  const { architecture, config } = await document(files, name, Config);
  const here = ARCHITECTURES[process.arch];
  if (architecture !== undefined && here !== undefined && architecture !== here)
    throw notRead(
      `an image for ${architecture}, and this machine is ${here}`,
      'Save the one for this kind of machine.',
    );
  return config?.Env ?? [];
}

function only<T>(found: T[], name: (one: T) => string): T {
  if (found.length === 1) return found[0]!;
  throw notRead(
    found.length === 0
      ? 'no image for this kind of machine'
      : `several images: ${found.map(name).join('; ')}`,
    'Save one image for this kind of machine at a time.',
  );
}

const blobName = (digest: string) => `blobs/${digest.replace(':', '/')}`;

/** A layer of an OCI image, which is what its name says. */
async function blob(files: Files, digest: string): Promise<Part> {
  const part = await file(files, blobName(digest));
  const [algorithm = '', wanted] = digest.split(':');
  if (!['sha256', 'sha512'].includes(algorithm)) throw notRead(`a layer with a digest by ${algorithm}`);
  const hash = createHash(algorithm);
  for await (const piece of bytesOf(part)) hash.update(piece);
  if (hash.digest('hex') !== wanted) throw notRead(`a damaged layer: ${digest.slice(0, 19)} is another one`);
  return part;
}

async function document<S extends z.ZodType>(files: Files, name: string, schema: S): Promise<z.infer<S>> {
  const parsed = schema.safeParse(await json(files, name));
  if (parsed.success) return parsed.data;
  throw notRead(`an image whose ${name} is not as it should be: ${z.prettifyError(parsed.error)}`);
}

async function file(files: Files, name: string): Promise<Part> {
  const found = await files(name);
  if (found === undefined) throw notRead(`an image whose file ${name} is missing`);
  return found;
}

async function json(files: Files, name: string): Promise<unknown> {
  const part = await file(files, name);
  if (part.size > LARGEST_JSON) throw notRead(`a ${name} of ${part.size} bytes`);
  const pieces: Buffer[] = [];
  for await (const piece of bytesOf(part)) pieces.push(piece);
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch (cause) {
    throw new AutocodeError('ERR_ENVIRONMENT', `${name} of the image is no JSON.`, { cause });
  }
}

function notRead(what: string, remedy?: string): AutocodeError {
  return new AutocodeError('ERR_ENVIRONMENT', `There is ${what}.`, remedy === undefined ? {} : { remedy });
}
