// How large the weights in a directory are, by the headers of their safetensors files; a file that is missing, was cut
// off or was never fetched is told. Only headers are read. Used by facts.ts.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { readTensors, type Tensor } from '../weights/safetensors-file.ts';

export interface Weights {
  bytes: number;
  /** Of the model as it was before it was quantised. */
  parameters: number;
}

const Index = z.object({
  metadata: z.object({ total_size: z.number().int().positive().optional() }).optional(),
  weight_map: z.record(z.string(), z.string()),
});
const INDEX = 'model.safetensors.index.json';

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
    for (const [name, tensor] of Object.entries(await readTensors(join(directory, file)))) {
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
function parametersOf(name: string, tensor: Tensor, packedBits: number): number {
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
