// The header of a safetensors file: which tensors it has, and that it is as long as it says. Format: 8 bytes of length (little-endian), so
// much JSON, then the tensors. Used before weights are brought in, and to tell how large a model is.
import { open, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { damaged } from './damaged.ts';

const Tensor = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});
export type Tensor = z.infer<typeof Tensor>;

const Header = z.record(z.string(), z.unknown()).transform((header) => {
  const { __metadata__: _, ...tensors } = header;
  return z.record(z.string(), Tensor).parse(tensors);
});

const LARGEST_HEADER = 100 << 20; // the format's own limit
const LFS = 'version https://git-lfs';

/** The file's tensors by name; ERR_WEIGHTS when it is none, or not whole. */
export async function readTensors(path: string): Promise<Record<string, Tensor>> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const start = await bytesAt(file, 0, Math.min(size, LFS.length));
    if (start.toString('latin1') === LFS)
      throw damaged(path, 'is only a Git LFS pointer: the file itself was never fetched');
    const length = size < 8 ? Infinity : Number(start.readBigUInt64LE(0));
    if (length > LARGEST_HEADER || 8 + length > size)
      throw damaged(path, `has ${size} bytes and ends within its header, or is no safetensors file`);
    const tensors = parsed(path, (await bytesAt(file, 8, length)).toString());
    const whole = 8 + length + Math.max(0, ...Object.values(tensors).map((tensor) => tensor.data_offsets[1]));
    if (size < whole) throw damaged(path, `has ${size} bytes of ${whole}: it was cut off`);
    if (size > whole) throw damaged(path, `has ${size} bytes, ${size - whole} more than its header says`);
    return tensors;
  } finally {
    await file.close();
  }
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function parsed(path: string, text: string): Record<string, Tensor> {
  try {
    return Header.parse(JSON.parse(text));
  } catch {
    throw damaged(path, 'has a header that cannot be read');
  }
}
