// A model's directory as small as one can be: real safetensors headers over a few bytes. Used by tests.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A safetensors file with the tensors, so many bytes each. */
export function safetensors(tensors: Record<string, number>): Buffer {
  let at = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, size]) => [
      name,
      { dtype: 'I8', shape: [size], data_offsets: [at, (at += size)] },
    ]),
  );
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(at, 7)]);
}

/** Files of a model in two shards. */
export function modelFiles(): Record<string, Buffer> {
  const [first, second] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  return {
    'config.json': json({ model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'] }),
    'tokenizer.json': json({ version: '1.0' }),
    'model.safetensors.index.json': json({
      metadata: { total_size: 300_000 },
      weight_map: { 'embed.weight': first, 'layers.0.weight': first, 'lm_head.weight': second },
    }),
    [first]: safetensors({ 'embed.weight': 100_000, 'layers.0.weight': 100_000 }),
    [second]: safetensors({ 'lm_head.weight': 100_000 }),
  };
}

/** Writes files below a directory. */
export function writeFiles(directory: string, files: Record<string, Buffer>): string {
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  return directory;
}
