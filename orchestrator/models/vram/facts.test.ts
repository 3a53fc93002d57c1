import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { AutocodeError } from '../../../protocol/errors.ts';
import { shapeOf } from './facts.ts';
import { localModel } from './testing/models.ts';

type Tensors = Record<string, { dtype: string; shape: number[] }>;
const BYTES: Record<string, number> = { BF16: 2, F32: 4, I32: 4, U8: 1 };
const CONFIG = {
  architectures: ['Qwen2ForCausalLM'],
  hidden_size: 8,
  num_attention_heads: 2,
  num_hidden_layers: 2,
  vocab_size: 100,
  max_position_embeddings: 512,
};

function safetensors(tensors: Tensors): Buffer {
  let end = 0;
  const header = Object.entries(tensors).map(([name, { dtype, shape }]) => {
    const from = end;
    end += shape.reduce((product, size) => product * size, BYTES[dtype]!);
    return [name, { dtype, shape, data_offsets: [from, end] }];
  });
  const json = Buffer.from(JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(header) }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(end)]);
}

function weights(t: TestContext, files: Record<string, string | Buffer | Tensors>): string {
  const root = mkdtempSync(join(tmpdir(), 'autocode-weights-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'm'));
  for (const [name, content] of Object.entries({ 'config.json': JSON.stringify(CONFIG), ...files })) {
    const bytes = typeof content === 'string' || Buffer.isBuffer(content) ? content : safetensors(content);
    writeFileSync(join(root, 'm', name), bytes);
  }
  return root;
}

const embedding = { 'model.embed_tokens.weight': { dtype: 'BF16', shape: [100, 8] } };
const layer = (at: number) => ({ [`model.layers.${at}.w`]: { dtype: 'BF16', shape: [8, 8] } });
const refused = (root: string, said: RegExp) =>
  assert.rejects(
    shapeOf(localModel(), root),
    (error: unknown) =>
      error instanceof AutocodeError &&
      error.code === 'ERR_WEIGHTS' &&
      said.test(error.message) &&
      error.remedy !== undefined,
  );

test('weights are summed up over the files of an index, without the layers that guess ahead', async (t) => {
  const root = weights(t, {
    'model-00001-of-00002.safetensors': { ...embedding, ...layer(0) },
    'model-00002-of-00002.safetensors': { ...layer(1), ...layer(2), 'mtp.w': { dtype: 'F32', shape: [5] } },
    'model.safetensors.index.json': JSON.stringify({
      metadata: { total_size: 1600 + 3 * 128 + 20 },
      weight_map: {
        'model.embed_tokens.weight': 'model-00001-of-00002.safetensors',
        'model.layers.1.w': 'model-00002-of-00002.safetensors',
      },
    }),
    'consolidated.safetensors': { ...embedding },
  });
  const { shape, source } = await shapeOf(localModel(), root);
  assert.equal(source, 'weights');
  assert.deepEqual([shape.weightsBytes, shape.parameters, shape.layers], [1600 + 2 * 128, 800 + 128, 2]);
});

test('the parameters of quantised weights are those before, without scales and zero points', async (t) => {
  const tensors = {
    ...embedding,
    'model.layers.0.q.qweight': { dtype: 'I32', shape: [8, 16] },
    'model.layers.0.q.qzeros': { dtype: 'I32', shape: [1, 16] },
    'model.layers.0.q.scales': { dtype: 'BF16', shape: [1, 128] },
    'model.layers.1.gate_up_proj_blocks': { dtype: 'U8', shape: [64] },
    'model.layers.1.gate_up_proj_scales': { dtype: 'U8', shape: [4] },
  };
  const { shape } = await shapeOf(localModel(), weights(t, { 'model.safetensors': tensors }));
  assert.equal(shape.parameters, 800 + 8 * 128 + 128);
  assert.equal(shape.weightsBytes, 1600 + 512 + 64 + 256 + 64 + 4);
  const eight = { ...CONFIG, quantization_config: { quant_method: 'gptq', bits: 8 } };
  const root = weights(t, { 'model.safetensors': tensors, 'config.json': JSON.stringify(eight) });
  assert.equal((await shapeOf(localModel(), root)).shape.parameters, 800 + 4 * 128 + 64);
});

test('weights that are not whole are refused with the file', async (t) => {
  const cut = weights(t, { 'model.safetensors': { ...embedding } });
  truncateSync(join(cut, 'm/model.safetensors'), 1000);
  await refused(cut, /m\/model\.safetensors has 1000 bytes of 1\d\d\d: it was cut off/);
  truncateSync(join(cut, 'm/model.safetensors'), 20);
  await refused(cut, /ends within its header/);
  truncateSync(join(cut, 'm/model.safetensors'), 0);
  await refused(cut, /has 0 bytes/);
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n';
  await refused(weights(t, { 'model.safetensors': pointer }), /Git LFS pointer/);
  const index = {
    weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' },
  };
  const half = { 'model-00001-of-00002.safetensors': { ...embedding } };
  const named = { ...half, 'model.safetensors.index.json': JSON.stringify(index) };
  await refused(weights(t, named), /1 of its 2 files are missing, as model-00002-of-00002/);
  const short = { metadata: { total_size: 9999 }, weight_map: { a: 'model-00001-of-00002.safetensors' } };
  await refused(
    weights(t, { ...half, 'model.safetensors.index.json': JSON.stringify(short) }),
    /tells of 9999 bytes, but its files have 1600/,
  );
  await refused(weights(t, { 'model.safetensors.index.json': '{' }), /index\.json: it is not the JSON/);
  await refused(weights(t, { 'pytorch_model.bin': 'x' }), /no \.safetensors files/);
  await refused(weights(t, { 'config.json': 'x' }), /config\.json is not JSON/);
});

test('without weights the catalogue counts, and without either it is told what to do', async (t) => {
  const root = weights(t, {});
  const shape = {
    weightsBytes: 1,
    layers: 1,
    hiddenSize: 1,
    heads: 1,
    kvHeads: 1,
    headDim: 1,
    vocabulary: 1,
    maxContext: 1,
    dtype: 'bfloat16',
  };
  assert.deepEqual(await shapeOf(localModel({ path: 'none', shape }), root), { shape, source: 'catalogue' });
  await assert.rejects(shapeOf(localModel({ path: 'none' }), root), /there is no .*none\/config\.json/);
  await assert.rejects(
    shapeOf(localModel({ engine: 'ollama' }), root),
    ({ message, remedy }: AutocodeError) =>
      /Ollama keeps its weights/.test(message) && !remedy?.includes('import'),
  );
});
