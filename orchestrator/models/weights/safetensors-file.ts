// The header of a safetensors file: which tensors it has and how long it must be. Format: 8 bytes of length (little-endian), so much
// JSON, then the tensors. Used by inspect.ts.
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { damaged } from './damaged.ts';

const HEADER_MAX = 100 * 1024 * 1024; // the format's own limit
const Header = z.record(
  z.string(),
  z.union([
    z.object({ data_offsets: z.tuple([z.number().int(), z.number().int()]) }),
    z.record(z.string(), z.string()), // __metadata__
  ]),
);

export interface SafetensorsFile {
  tensors: Set<string>;
  /** Bytes that the whole file must have. */
  size: number;
}

/** Reads the header; ERR_WEIGHTS when it is none. */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await open(path);
  try {
    const length = Buffer.alloc(8);
    await file.read(length, 0, 8, 0);
    const headerLength = Number(length.readBigUInt64LE());
    const { size } = await file.stat();
    if (headerLength < 2 || headerLength > HEADER_MAX) throw damaged(path, 'is no safetensors file');
    if (headerLength + 8 > size) throw damaged(path, 'is truncated: it ends within its header');
    const text = Buffer.alloc(headerLength);
    await file.read(text, 0, headerLength, 8);
    const header = Header.safeParse(parsed(path, text.toString()));
    if (!header.success) throw damaged(path, 'has a header that cannot be read');
    const tensors = new Set<string>();
    let end = 0;
    for (const [name, entry] of Object.entries(header.data)) {
      if (!('data_offsets' in entry) || typeof entry.data_offsets === 'string') continue;
      tensors.add(name);
      end = Math.max(end, entry.data_offsets[1]);
    }
    return { tensors, size: 8 + headerLength + end };
  } finally {
    await file.close();
  }
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged(path, 'has a header that is not JSON');
  }
}
