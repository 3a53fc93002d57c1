// Reads what somebody has into a tree: a root directory, a tar of one, an OCI image layout or its archive, what `docker save` wrote.
// Used by `autocode environment import`.
import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { AutocodeError } from '../../../protocol/errors.ts';
import { bytesOf, partInput, type Part } from '../tar/input.ts';
import { tarEntries } from '../tar/read.ts';
import { addDirectory } from './directory.ts';
import { imageIn, type Files, type Image } from './image.ts';
import { openScratch } from './scratch.ts';
import { applyEntry, emptyTree, trim, type Content, type Tree } from './tree.ts';

export interface Source {
  tree: Tree;
  /** What it is, in words. */
  what: string;
  /** As `PATH=/usr/bin`, from an image. */
  variables: string[];
  /** Ends the reading: the tree's files cannot be opened any more. */
  close(): Promise<void>;
}

/** Looks what a path is, and reads it; the bytes of files are read when they are written. */
export async function readSource(path: string, tell: (words: string) => void): Promise<Source> {
  const found = await stat(path).catch((cause: Error) => {
    throw new AutocodeError('ERR_INVALID_INPUT', `${path} cannot be read: ${cause.message}.`, { cause });
  });
  const scratch = await openScratch();
  const opened: FileHandle[] = [];
  const partOf = async (file: string): Promise<Part> => {
    const handle = await open(file, 'r');
    opened.push(handle);
    return { file: handle, start: 0, size: (await handle.stat()).size };
  };
  const close = async () => {
    await Promise.all([...opened.map(async (handle) => await handle.close()), scratch.close()]);
  };
  const tree = emptyTree();

  async function layersOf(image: Image, what: string): Promise<Source> {
    for (const [index, layer] of image.layers.entries()) {
      tell(`layer ${index + 1} of ${image.layers.length}`);
      await addTar(tree, await scratch.plain(layer), index);
    }
    return { tree, what: `${what} of ${image.layers.length} layers`, variables: image.variables, close };
  }

  async function read(): Promise<Source> {
    if (found.isDirectory()) {
      const inDirectory: Files = async (name) =>
        (await stat(join(path, name)).catch(() => null))?.isFile() === true
          ? await partOf(join(path, name))
          : undefined;
      const image = await imageIn(inDirectory);
      if (image !== null) return await layersOf(image, 'an OCI image');
      tell('the directory');
      await addDirectory(tree, path);
      return { tree, what: 'a root directory', variables: [], close };
    }
    tell('the archive');
    const plain = await scratch.plain(await partOf(path));
    const files = await filesOf(plain);
    const image = await imageIn(async (name) => files.get(name));
    if (image !== null) return await layersOf(image, 'an image');
    await addTar(tree, plain, 0);
    return { tree, what: 'a tar of a root directory', variables: [], close };
  }

  try {
    const source = await read();
    trim(tree);
    return source;
  } catch (error) {
    await close();
    throw error;
  }
}

async function addTar(tree: Tree, part: Part, layer: number): Promise<void> {
  for await (const entry of tarEntries(partInput(part)))
    applyEntry(tree, entry, layer, () =>
      contentOf({ ...part, start: part.start + entry.offset, size: entry.size }),
    );
}

function contentOf(part: Part): Content {
  return { size: part.size, open: () => bytesOf(part) };
}

/** The plain files of a tar, links among them followed: `docker save` names a layer that it has already by a link. */
async function filesOf(part: Part): Promise<Map<string, Part>> {
  const files = new Map<string, Part>();
  const links: [string, string][] = [];
  for await (const { name, kind, target, offset, size } of tarEntries(partInput(part))) {
    const plain = name.replace(/^(\.?\/)+/, '');
    if (kind === 'file') files.set(plain, { ...part, start: part.start + offset, size });
    else if (kind === 'link') links.push([plain, join(plain, '..', target)]);
    else if (kind === 'hard-link') links.push([plain, target.replace(/^(\.?\/)+/, '')]);
  }
  for (const [name, target] of links) {
    const linked = files.get(target);
    if (linked !== undefined) files.set(name, linked);
  }
  return files;
}
