import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AutocodeError } from '../../../protocol/errors.ts';
import { readModelConfig } from './config-json.ts';
import { PARAMETERS, PUBLISHED } from './testing/published.ts';
import { shipped } from './testing/models.ts';

for (const { model, facts } of shipped) {
  test(`the shape that is shipped of ${model.name} is that of its published config.json`, () => {
    const name = model.name as keyof typeof PUBLISHED;
    assert.ok('shape' in facts);
    const { weightsBytes: _, parameters = 0, dtype: __, ...rest } = facts.shape;
    const { dtype: ___, ...read } = readModelConfig(PUBLISHED[name], 'config.json').shape;
    assert.deepEqual(read, rest);
    const by = PARAMETERS[name];
    assert.ok(Math.abs(parameters - by) / by < 0.002, `${parameters} parameters are said, ${by} follow`);
  });
}

const plain = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 4096,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  vocab_size: 32_000,
  max_position_embeddings: 4096,
};
const shape = (changes: object) => readModelConfig({ ...plain, ...changes }, 'config.json').shape;

test('what is left out has its usual meaning: a KV head for each head, their size, 16 bits', () => {
  const { kvHeads, headDim, dtype, kvLayers, quantisation } = shape({});
  assert.deepEqual(
    [kvHeads, headDim, dtype, kvLayers, quantisation],
    [32, 128, 'bfloat16', undefined, undefined],
  );
});

test('windows are understood in each way that configs tell of them', () => {
  const of = (changes: object) => {
    const { kvLayers, windowLayers, window } = shape({ sliding_window: 1024, ...changes });
    return [kvLayers, windowLayers, window];
  };
  assert.deepEqual(of({}), [0, 32, 1024], 'all layers');
  assert.deepEqual(of({ use_sliding_window: false }), [undefined, undefined, undefined], 'switched off');
  assert.deepEqual(of({ sliding_window_pattern: 6 }), [5, 27, 1024], 'all but every sixth');
  assert.deepEqual(
    of({ use_sliding_window: true, max_window_layers: 20 }),
    [20, 12, 1024],
    'from a layer on',
  );
  const types = Array.from({ length: 32 }, (_, at) => (at < 8 ? 'full_attention' : 'chunked_attention'));
  assert.deepEqual(
    of({ sliding_window: null, layer_types: types, attention_chunk_size: 8192 }),
    [8, 24, 8192],
  );
});

test('linear attention is counted by the interval of full attention too, with its state', () => {
  const linear = {
    linear_num_key_heads: 16,
    linear_num_value_heads: 32,
    linear_key_head_dim: 128,
    linear_value_head_dim: 128,
    linear_conv_kernel_dim: 4,
  };
  const { kvLayers, stateBytes } = shape({ full_attention_interval: 4, ...linear });
  assert.equal(kvLayers, 8);
  assert.equal(stateBytes, 24 * (32 * 128 * 128 * 2 + 2 * 3 * (2 * 16 * 128 + 32 * 128)));
});

test('positions that are stretched count as the engine counts them', () => {
  const of = (rope_scaling: object) => shape({ rope_scaling }).maxContext;
  assert.equal(of({ type: 'yarn', factor: 4, original_max_position_embeddings: 32_768 }), 131_072);
  assert.equal(of({ rope_type: 'linear', factor: 2 }), 8192);
  assert.equal(of({ rope_type: 'llama3', factor: 8, original_max_position_embeddings: 2048 }), 4096);
});

test("figures in another way than usual stand in nobody's way where they are not needed", () => {
  const { kvLayers, window } = shape({ sliding_window: 0, sliding_window_pattern: 'LLLG', kv_lora_rank: -1 });
  assert.deepEqual([kvLayers, window], [undefined, undefined]);
});

test('an encoder keeps no cache', () => {
  assert.equal(shape({ architectures: ['BertModel'] }).kvLayers, 0);
});

test('the bits of packed weights are told', () => {
  const bits = (quantization_config: object) =>
    readModelConfig({ ...plain, quantization_config }, 'config.json').packedBits;
  assert.equal(bits({ quant_method: 'gptq', bits: 8 }), 8);
  assert.equal(bits({ config_groups: { group_0: { weights: { num_bits: 8 } } } }), 8);
});

const UNUSABLE: [what: string, config: unknown, said: RegExp][] = [
  ['no object', [], /it is not an object|expected object/],
  [
    'a state-space model',
    { architectures: ['MambaForCausalLM'], hidden_size: 1, num_hidden_layers: 2 },
    /no num_attention_heads.*MambaForCausalLM/,
  ],
  [
    'other names',
    { architectures: ['GPT2LMHeadModel'], n_layer: 12, n_embd: 768 },
    /no num_hidden_layers.*GPT2LMHeadModel/,
  ],
  ['no vocabulary', { ...plain, vocab_size: undefined }, /no vocab_size/],
  ['strange layers', { ...plain, layer_types: ['full_attention', 'mamba2'] }, /type mamba2/],
  ['nonsense', { ...plain, num_hidden_layers: 'many' }, /num_hidden_layers/],
  ['half of MLA', { ...plain, kv_lora_rank: 512 }, /no qk_rope_head_dim/],
];
for (const [what, config, said] of UNUSABLE) {
  test(`a config.json of an architecture that cannot be planned is refused with what is missing: ${what}`, () => {
    assert.throws(
      () => readModelConfig(config, '/weights/x/config.json'),
      (error: unknown) =>
        error instanceof AutocodeError &&
        error.code === 'ERR_WEIGHTS' &&
        error.message.startsWith('/weights/x/config.json') &&
        said.test(error.message) &&
        /models\.engines/.test(error.remedy ?? ''),
    );
  });
}
