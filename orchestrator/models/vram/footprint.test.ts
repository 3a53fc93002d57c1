import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelShape } from '../../../protocol/local-model.ts';
import { footprint, indivisible, tokensIn } from './footprint.ts';
import { cardsOf, localModel } from './testing/models.ts';
import { mostMib } from './placements.ts';

const GB = 1e9;
const GiB = 1024 ** 3;
const shape = (weightsBytes: number, layers: number, heads: number, kvHeads: number, headDim: number) =>
  ({
    weightsBytes,
    layers,
    hiddenSize: 5120,
    heads,
    kvHeads,
    headDim,
    vocabulary: 152_064,
    maxContext: 1e6,
    dtype: 'bfloat16',
  }) satisfies ModelShape;
const tokens = (of: ModelShape, tensorParallel: number) => {
  const model = localModel({ tensorParallel, gpuMemoryUtilization: 0.9 });
  return tokensIn(model, of, mostMib(model, cardsOf(2)));
};

// Figures of the appliance: 2 × 24,564 MiB, a share of 0.9, 1.5 GiB for the engine.
const TABLE: [name: string, shape: ModelShape, one: number | null, two: number | null][] = [
  ['7B bf16', shape(14.2 * GiB, 28, 28, 4, 128), 111_000, null],
  ['14B int4', shape(10.1 * GB, 48, 40, 8, 128), 58_000, 168_000],
  ['14B 8-bit', shape(16.3 * GB, 48, 40, 8, 128), 27_000, 136_000],
  ['14B bf16', shape(29.5 * GB, 48, 40, 8, 128), 0, 69_000],
  ['32B int4', shape(19.7 * GB, 64, 40, 8, 128), 7_000, 90_000],
  ['32B 8-bit', shape(34.3 * GB, 64, 40, 8, 128), 0, 34_000],
  ['32B bf16', shape(65.5 * GB, 64, 40, 8, 128), 0, 0],
  ['Devstral Small 24B int4', shape(14.5 * GB, 40, 32, 8, 128), 43_000, 175_000],
  ['Qwen3-Coder-30B-A3B int4', shape(17.1 * GB, 48, 32, 4, 128), 45_000, 265_000],
  [
    'gpt-oss-20b',
    { ...shape(12.8 * GiB, 24, 64, 8, 64), kvLayers: 12, windowLayers: 12, window: 128 },
    319_000,
    null,
  ],
  // What MLA keeps has no heads that could be split: two GPUs hold the same twice, where 450,000 would fit if split.
  ['GLM-4.7-Flash', { ...shape(17.5 * GiB, 47, 20, 20, 256), latent: 576 }, 51_000, 225_000],
  ['Qwen3.6-27B', { ...shape(17.5 * GiB, 64, 24, 4, 256), kvLayers: 16 }, 42_000, 372_000],
  ['Qwen3-Coder-Next 80B-A3B', { ...shape(44 * GiB, 48, 16, 2, 256), kvLayers: 12 }, 0, 0],
];
for (const [name, of, one, two] of TABLE) {
  test(`the tokens of ${name} on one GPU and on two are those that were worked out by hand`, () => {
    for (const [gpus, expected] of [
      [1, one],
      [2, two],
    ] as const) {
      if (expected === null) continue;
      const got = tokens(of, gpus);
      const near = expected === 0 ? got === 0 : Math.abs(got - expected) / expected < 0.03;
      assert.ok(near, `${gpus} GPU: ${got} for ${expected}`);
    }
  });
}

test('the cache of all requests at their full length is part of what a model needs', () => {
  const of = shape(19_692_851_872, 64, 40, 8, 128);
  assert.deepEqual(footprint(localModel({ tensorParallel: 2, context: 32_768, sequences: 2 }), of), {
    weightsMib: 9391,
    runtimeMib: 1536,
    kvMib: 8192,
    totalMib: 19_119,
    tokens: 65_536,
  });
});

test('the memory that a footprint tells is enough for its own tokens, and a MiB less of cache is not', () => {
  const of = {
    ...shape(5 * GB, 32, 32, 8, 128),
    windowLayers: 16,
    kvLayers: 16,
    window: 1024,
    stateBytes: 9_000_000,
  };
  const model = localModel({ context: 10_000, sequences: 3 });
  const need = footprint(model, of);
  assert.ok(tokensIn(model, of, need.totalMib) >= need.tokens);
  assert.ok(tokensIn(model, of, need.totalMib - 1) < need.tokens);
});

test('a cache in 8 bits is half as large, and no CUDA graphs are taken when the engine is eager', () => {
  const of = shape(5 * GB, 32, 32, 8, 128);
  const plain = footprint(localModel(), of);
  assert.equal(footprint(localModel({ kvDtype: 'fp8' }), of).kvMib * 2, plain.kvMib);
  assert.equal(footprint(localModel({ flags: ['--enforce-eager'] }), of).runtimeMib, plain.runtimeMib - 512);
});

test('a cache of 64 MiB holds as many tokens as vLLM 0.32 says that it does', () => {
  // A model of two layers with two KV heads of 32 each in float32; its log: "KV cache size: 65,536 tokens".
  const of = { ...shape(461_568, 2, 2, 2, 32), dtype: 'float32' };
  const model = localModel({ dtype: 'float32', context: 1024 });
  const besides = footprint(model, of).totalMib - footprint(model, of).kvMib;
  assert.equal(tokensIn(model, of, besides + 64), 65_536);
});

test('weights that lie on the disk in 32 bits are loaded in 16, unless the model says otherwise', () => {
  const wide = { ...shape(4096 * 2 ** 20, 32, 32, 8, 128), dtype: 'float32' };
  const need = (dtype: string | undefined, of: ModelShape) => {
    const { weightsMib, kvMib } = footprint(localModel(dtype === undefined ? {} : { dtype }), of);
    return [weightsMib, kvMib];
  };
  assert.deepEqual(need(undefined, wide), [2048, 4096]);
  assert.deepEqual(need('float32', wide), [4096, 8192]);
  assert.deepEqual(need('float32', { ...wide, dtype: 'bfloat16' }), [8192, 8192]);
  assert.deepEqual(need('float16', { ...wide, dtype: 'bfloat16' }), [4096, 4096]);
});

test('with more GPUs than KV heads each has a whole one', () => {
  const of = shape(5 * GB, 28, 28, 2, 128);
  const kv = (tensorParallel: number) => footprint(localModel({ tensorParallel }), of).kvMib;
  assert.deepEqual([kv(1), kv(2), kv(4)], [896, 448, 448]);
});

test('a split that the heads do not allow is told with its reason', () => {
  const of = shape(5 * GB, 28, 28, 4, 128);
  assert.equal(indivisible(of, 2), undefined);
  assert.equal(indivisible(of, 4), undefined);
  assert.match(indivisible(of, 3) ?? '', /28 attention heads cannot be split by 3/);
  assert.match(indivisible({ ...of, kvHeads: 3 }, 2) ?? '', /3 KV heads cannot be split by 2/);
  assert.equal(indivisible({ ...of, kvHeads: 3, latent: 576 }, 2), undefined);
});
