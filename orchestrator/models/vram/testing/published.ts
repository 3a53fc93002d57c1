// What config.json says of the models of the shipped catalogue, as published, and how many parameters follow from it.
// For the planner's tests.

const qwen25 = {
  architectures: ['Qwen2ForCausalLM'],
  max_position_embeddings: 32_768,
  model_type: 'qwen2',
  rope_theta: 1_000_000,
  sliding_window: 131_072,
  torch_dtype: 'float16',
  use_sliding_window: false,
};
const awq = { quantization_config: { bits: 4, group_size: 128, quant_method: 'awq', zero_point: true } };

const coder32 = {
  ...qwen25,
  ...awq,
  hidden_size: 5120,
  intermediate_size: 27_648,
  max_window_layers: 70,
  num_attention_heads: 40,
  num_hidden_layers: 64,
  num_key_value_heads: 8,
  vocab_size: 152_064,
};

/** By the model's name in the catalogue. */
export const PUBLISHED = {
  'qwen2.5-coder-32b': coder32,
  'deepseek-r1-distill-qwen-32b': { ...coder32, max_position_embeddings: 131_072 },
  'qwen2.5-coder-14b': {
    ...coder32,
    intermediate_size: 13_824,
    max_window_layers: 48,
    num_hidden_layers: 48,
  },
  'qwen2.5-coder-7b': {
    ...qwen25,
    ...awq,
    hidden_size: 3584,
    intermediate_size: 18_944,
    max_window_layers: 28,
    num_attention_heads: 28,
    num_hidden_layers: 28,
    num_key_value_heads: 4,
    vocab_size: 152_064,
  },
  'qwen2.5-coder-1.5b': {
    ...qwen25,
    hidden_size: 1536,
    intermediate_size: 8960,
    max_window_layers: 28,
    num_attention_heads: 12,
    num_hidden_layers: 28,
    num_key_value_heads: 2,
    tie_word_embeddings: true,
    torch_dtype: 'bfloat16',
    vocab_size: 151_936,
  },
  'qwen3-embedding-0.6b': {
    architectures: ['Qwen3ForCausalLM'],
    head_dim: 128,
    hidden_size: 1024,
    intermediate_size: 3072,
    max_position_embeddings: 32_768,
    model_type: 'qwen3',
    num_attention_heads: 16,
    num_hidden_layers: 28,
    num_key_value_heads: 8,
    sliding_window: null,
    tie_word_embeddings: true,
    torch_dtype: 'bfloat16',
    use_sliding_window: false,
    vocab_size: 151_669,
  },
  'devstral-small-24b': {
    architectures: ['MistralForCausalLM'],
    head_dim: 128,
    hidden_size: 5120,
    intermediate_size: 32_768,
    max_position_embeddings: 131_072,
    model_type: 'mistral',
    num_attention_heads: 32,
    num_hidden_layers: 40,
    num_key_value_heads: 8,
    quantization_config: {
      quant_method: 'compressed-tensors',
      config_groups: { group_0: { weights: { num_bits: 4, group_size: 32 } } },
    },
    sliding_window: null,
    torch_dtype: 'bfloat16',
    vocab_size: 131_072,
  },
  'qwen3-coder-30b-a3b': {
    ...awq,
    architectures: ['Qwen3MoeForCausalLM'],
    head_dim: 128,
    hidden_size: 2048,
    max_position_embeddings: 262_144,
    model_type: 'qwen3_moe',
    moe_intermediate_size: 768,
    num_attention_heads: 32,
    num_experts: 128,
    num_hidden_layers: 48,
    num_key_value_heads: 4,
    sliding_window: null,
    torch_dtype: 'bfloat16',
    use_sliding_window: false,
    vocab_size: 151_936,
  },
  'glm-4.7-flash': {
    ...awq,
    architectures: ['Glm4MoeLiteForCausalLM'],
    first_k_dense_replace: 1,
    hidden_size: 2048,
    intermediate_size: 10_240,
    kv_lora_rank: 512,
    max_position_embeddings: 202_752,
    model_type: 'glm4_moe_lite',
    moe_intermediate_size: 1536,
    n_routed_experts: 64,
    n_shared_experts: 1,
    num_attention_heads: 20,
    num_hidden_layers: 47,
    num_key_value_heads: 20,
    num_nextn_predict_layers: 1,
    q_lora_rank: 768,
    qk_nope_head_dim: 192,
    qk_rope_head_dim: 64,
    torch_dtype: 'bfloat16',
    v_head_dim: 256,
    vocab_size: 154_880,
  },
  'qwen3.6-27b': {
    ...awq,
    architectures: ['Qwen3_5ForConditionalGeneration'],
    model_type: 'qwen3_5',
    text_config: {
      dtype: 'bfloat16',
      full_attention_interval: 4,
      head_dim: 256,
      hidden_size: 5120,
      intermediate_size: 17_408,
      layer_types: Array.from({ length: 64 }, (_, at) =>
        at % 4 === 3 ? 'full_attention' : 'linear_attention',
      ),
      linear_conv_kernel_dim: 4,
      linear_key_head_dim: 128,
      linear_num_key_heads: 16,
      linear_num_value_heads: 48,
      linear_value_head_dim: 128,
      mamba_ssm_dtype: 'float32',
      max_position_embeddings: 262_144,
      model_type: 'qwen3_5_text',
      num_attention_heads: 24,
      num_hidden_layers: 64,
      num_key_value_heads: 4,
      rope_parameters: { rope_theta: 10_000_000, rope_type: 'default' },
      vocab_size: 248_320,
    },
    vision_config: { depth: 27, hidden_size: 1152, num_heads: 16 },
  },
  'gpt-oss-20b': {
    architectures: ['GptOssForCausalLM'],
    head_dim: 64,
    hidden_size: 2880,
    intermediate_size: 2880,
    layer_types: Array.from({ length: 24 }, (_, at) =>
      at % 2 === 0 ? 'sliding_attention' : 'full_attention',
    ),
    max_position_embeddings: 131_072,
    model_type: 'gpt_oss',
    num_attention_heads: 64,
    num_hidden_layers: 24,
    num_key_value_heads: 8,
    num_local_experts: 32,
    quantization_config: { quant_method: 'mxfp4' },
    rope_scaling: { factor: 32, original_max_position_embeddings: 4096, rope_type: 'yarn' },
    sliding_window: 128,
    vocab_size: 201_088,
  },
};

const embeddings = (vocabulary: number, hidden: number, tied = false) => vocabulary * hidden * (tied ? 1 : 2);
const attention = (hidden: number, heads: number, kvHeads: number, dim: number) =>
  2 * hidden * dim * (heads + kvHeads);
const gated = (hidden: number, inner: number) => 3 * hidden * inner;

/** Parameters by hand from the same figures; norms and biases are too few to matter. */
export const PARAMETERS: Record<keyof typeof PUBLISHED, number> = {
  'qwen2.5-coder-32b': embeddings(152_064, 5120) + 64 * (attention(5120, 40, 8, 128) + gated(5120, 27_648)),
  'deepseek-r1-distill-qwen-32b':
    embeddings(152_064, 5120) + 64 * (attention(5120, 40, 8, 128) + gated(5120, 27_648)),
  'qwen2.5-coder-14b': embeddings(152_064, 5120) + 48 * (attention(5120, 40, 8, 128) + gated(5120, 13_824)),
  'qwen2.5-coder-7b': embeddings(152_064, 3584) + 28 * (attention(3584, 28, 4, 128) + gated(3584, 18_944)),
  'qwen2.5-coder-1.5b':
    embeddings(151_936, 1536, true) + 28 * (attention(1536, 12, 2, 128) + gated(1536, 8960)),
  'qwen3-embedding-0.6b':
    embeddings(151_669, 1024, true) + 28 * (attention(1024, 16, 8, 128) + gated(1024, 3072)),
  'devstral-small-24b': embeddings(131_072, 5120) + 40 * (attention(5120, 32, 8, 128) + gated(5120, 32_768)),
  'qwen3-coder-30b-a3b':
    embeddings(151_936, 2048) + 48 * (attention(2048, 32, 4, 128) + 128 * (gated(2048, 768) + 2048)),
  'glm-4.7-flash':
    embeddings(154_880, 2048) +
    47 * (2048 * (768 + 576 + 20 * 256) + 768 * 20 * 256 + 512 * 20 * (192 + 256)) +
    gated(2048, 10_240) +
    46 * (65 * gated(2048, 1536) + 64 * 2048),
  'qwen3.6-27b':
    embeddings(248_320, 5120) +
    16 * (attention(5120, 24, 4, 256) + 5120 * 24 * 256) +
    48 * 5120 * (2 * 16 * 128 + 3 * 48 * 128 + 2 * 48) +
    64 * gated(5120, 17_408),
  'gpt-oss-20b': embeddings(201_088, 2880) + 24 * (attention(2880, 64, 8, 64) + 32 * gated(2880, 2880)),
};
