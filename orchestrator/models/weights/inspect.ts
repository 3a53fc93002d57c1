// Whether a directory holds a model that an engine can load: its configuration, its tokenizer, and weights that are whole by their own
// headers and index. Reads no tensors. Used before anything is copied, by `model verify`, and to tell whether a model's weights are here.
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { damaged } from './damaged.ts';
import { MANIFEST } from './manifest.ts';
import { readTensors } from './safetensors-file.ts';

export interface WeightFile {
  /** Below the model's directory. */
  path: string;
  bytes: number;
}

const INDEX = 'model.safetensors.index.json';
const Index = z.object({ weight_map: z.record(z.string(), z.string()) });
const TOKENIZERS = ['tokenizer.json', 'tokenizer.model', 'tekken.json', 'vocab.json', 'vocab.txt'];
const NO_MODEL = 'Give the directory that has config.json and the *.safetensors files of a model.';

/** The model's files; ERR_WEIGHTS with the first thing that is wrong. Links are followed, as a hub's cache is made of them. */
export async function inspect(directory: string): Promise<WeightFile[]> {
  const files = await filesIn(directory);
  const names = new Set(files.map(({ path }) => path));
  if (!names.has('config.json')) throw damaged(directory, 'is no model: it has no config.json', NO_MODEL);
  await jsonIn(join(directory, 'config.json'), z.looseObject({}));
  const weights = files.filter(({ path }) => /\.(safetensors|gguf)$/.test(path));
  if (weights.length === 0) throw damaged(directory, 'has no weights (*.safetensors, *.gguf)', NO_MODEL);
  if (!TOKENIZERS.some((name) => names.has(name)) && !weights.some(({ path }) => path.endsWith('.gguf')))
    throw damaged(directory, `has no tokenizer (one of ${TOKENIZERS.join(', ')})`);

  const tensors = new Map<string, Set<string>>();
  for (const { path } of weights) {
    if (path.endsWith('.gguf')) await checkGguf(join(directory, path));
    else tensors.set(path, new Set(Object.keys(await readTensors(join(directory, path)))));
  }
  if (names.has(INDEX)) await checkIndex(directory, tensors);
  return files;
}

/** All regular files below the directory, without hidden ones; sorted. */
async function filesIn(directory: string, below = ''): Promise<WeightFile[]> {
  const found: WeightFile[] = [];
  for (const entry of await entriesOf(join(directory, below))) {
    if (entry.startsWith('.') || (below === '' && entry === MANIFEST)) continue;
    const path = below === '' ? entry : `${below}/${entry}`;
    const there = await stat(join(directory, path)).catch((cause: unknown) => {
      throw damaged(join(directory, path), `cannot be read (${(cause as NodeJS.ErrnoException).code})`);
    });
    if (there.isDirectory()) found.push(...(await filesIn(directory, path)));
    else if (there.isFile()) found.push({ path, bytes: there.size });
    else throw damaged(join(directory, path), 'is neither a file nor a directory');
  }
  return found;
}

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).toSorted();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
    throw damaged(directory, what, code === 'ENOENT' ? NO_MODEL : 'Let the user that runs this read it.');
  }
}

async function checkIndex(directory: string, tensors: Map<string, Set<string>>): Promise<void> {
  const { weight_map: map } = await jsonIn(join(directory, INDEX), Index);
  const shards = [...new Set(Object.values(map))];
  const missing = shards.filter((shard) => !tensors.has(shard));
  if (missing.length > 0)
    throw damaged(
      directory,
      `lacks ${missing.join(', ')}, ${missing.length} of ${shards.length} files of its index`,
    );
  for (const [tensor, shard] of Object.entries(map)) {
    if (tensors.get(shard)?.has(tensor) !== true)
      throw damaged(join(directory, shard), `lacks the tensor ${tensor}, which the index says it has`);
  }
}

async function checkGguf(path: string): Promise<void> {
  const file = await open(path);
  try {
    const magic = Buffer.alloc(4);
    await file.read(magic, 0, 4, 0);
    if (magic.toString('latin1') !== 'GGUF') throw damaged(path, 'is no GGUF file');
  } finally {
    await file.close();
  }
}

async function jsonIn<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    throw damaged(path, 'is not what it should be: it cannot be read as JSON of its kind');
  }
}
