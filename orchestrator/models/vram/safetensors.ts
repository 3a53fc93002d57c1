// How large the weights in a directory are, by the headers of their safetensors files; a file that is missing, was cut
// off or was never fetched is told. Only headers are read. Used by facts.ts.
import { open, readFile, readdir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';

export interface Weights {
  bytes: number;
  /** Of the model as it was before it was quantised. */
  parameters: number;
}

const Index = z.object({
  metadata: z.object({ total_size: z.number().int().positive().optional() }).optional(),
  weight_map: z.record(z.string(), z.string()),
});
const Tensor = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});
const Header = z.record(z.string(), z.unknown()).transform((header) => {
  const { __metadata__: _, ...tensors } = header;
  return z.record(z.string(), Tensor).parse(tensors);
});
type Header = z.infer<typeof Header>;

const INDEX = 'model.safetensors.index.json';
const LARGEST_HEADER = 100 << 20;
const LFS = 'version https://git-lfs';

/**
 * The weights of a directory, packed ones of so many bits each. Layers past the last of the model, kept for guessing
 * ahead, are not loaded nor counted.
 */
export async function weightsIn(directory: string, layers: number, packedBits: number): Promise<Weights> {
  const { files, totalSize } = await filesOf(directory);
  let bytes = 0;
  let all = 0;
  let parameters = 0;
  for (const file of files) {
    for (const [name, tensor] of Object.entries(await headerOf(join(directory, file)))) {
      const size = tensor.data_offsets[1] - tensor.data_offsets[0];
      all += size;
      if (isAhead(name, layers)) continue;
      bytes += size;
      parameters += parametersOf(name, tensor, packedBits);
    }
  }
  if (totalSize !== undefined && all < totalSize)
    throw broken(join(directory, INDEX), `it tells of ${totalSize} bytes, but its files have ${all}`);
  return { bytes, parameters };
}

async function filesOf(directory: string): Promise<{ files: string[]; totalSize: number | undefined }> {
  const present = await readdir(directory);
  if (present.includes(INDEX)) {
    const path = join(directory, INDEX);
    const index = parsed(Index, await readFile(path, 'utf8'), path);
    const files = [...new Set(Object.values(index.weight_map))];
    const missing = files.filter((file) => !present.includes(file));
    if (missing.length > 0)
      throw broken(directory, `${missing.length} of its ${files.length} files are missing, as ${missing[0]}`);
    return { files, totalSize: index.metadata?.total_size };
  }
  const found = present.filter((file) => file.endsWith('.safetensors')).sort();
  const model = found.filter((file) => file.startsWith('model'));
  if (found.length > 0) return { files: model.length > 0 ? model : found, totalSize: undefined };
  throw broken(directory, 'it has no .safetensors files');
}

async function headerOf(path: string): Promise<Header> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const start = await bytesAt(file, 0, Math.min(size, LFS.length));
    if (start.toString('latin1') === LFS)
      throw broken(path, 'it is only a Git LFS pointer: the file itself was never fetched');
    const length = size < 8 ? Infinity : Number(start.readBigUInt64LE(0));
    if (length > LARGEST_HEADER || 8 + length > size)
      throw broken(path, `it has ${size} bytes and ends within its header, or is no safetensors file`);
    const header = parsed(Header, (await bytesAt(file, 8, length)).toString('utf8'), path);
    const whole = 8 + length + Math.max(0, ...Object.values(header).map((tensor) => tensor.data_offsets[1]));
    if (size < whole) throw broken(path, `it has ${size} bytes of ${whole}: it was cut off`);
    return header;
  } finally {
    await file.close();
  }
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function parsed<S extends z.ZodType>(schema: S, text: string, path: string): z.infer<S> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw broken(path, 'it is not the JSON that it should be', cause);
  }
}

const isAhead = (name: string, layers: number) => {
  const layer = /(?:^|\.)layers\.(\d+)\./.exec(name)?.[1];
  return name.startsWith('mtp.') || (layer !== undefined && Number(layer) >= layers);
};

// Scales, zero points and orders are of the quantisation, not of the model.
function parametersOf(name: string, tensor: z.infer<typeof Tensor>, packedBits: number): number {
  const {
    dtype,
    shape,
    data_offsets: [from, to],
  } = tensor;
  if (/(scales?|zeros?|zero_point|g_idx|weight_shape|scale_inv|absmax|quant_map)$/.test(name)) return 0;
  if (/(qweight|weight_packed|_blocks)$/.test(name)) return ((to - from) * 8) / packedBits;
  return dtype.startsWith('I') ? 0 : shape.reduce((product, size) => product * size, 1);
}

function broken(path: string, what: string, cause?: unknown): AutocodeError {
  return new AutocodeError('ERR_WEIGHTS', `The weights cannot be used: ${path}: ${what}.`, {
    remedy: 'Bring them again: `autocode model import PATH`, from a whole copy.',
    cause,
  });
}
