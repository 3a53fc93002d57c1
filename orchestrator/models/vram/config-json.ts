// What a model's config.json says of its memory: dense and MoE models, GQA and MLA, windows, linear attention, and the
// language model within a multimodal one. Used by facts.ts.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ModelShape } from '../../../protocol/local-model.ts';

// What is written in another way than usual counts as not said: some of it is never needed.
const Count = z.int().positive().nullish().catch(undefined);
const Rope = z.looseObject({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  factor: z.number().positive().nullish(),
  original_max_position_embeddings: Count,
});
const Quantisation = z.looseObject({
  quant_method: z.string().nullish(),
  bits: Count,
  config_groups: z
    .record(z.string(), z.looseObject({ weights: z.looseObject({ num_bits: Count }).nullish() }))
    .nullish(),
});
const Text = z.looseObject({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
  num_hidden_layers: Count,
  hidden_size: Count,
  num_attention_heads: Count,
  num_key_value_heads: Count,
  head_dim: Count,
  vocab_size: Count,
  max_position_embeddings: Count,
  rope_scaling: Rope.nullish(),
  rope_parameters: Rope.nullish(),
  torch_dtype: z.string().nullish(),
  dtype: z.string().nullish(),
  quantization_config: Quantisation.nullish(),
  kv_lora_rank: Count,
  qk_rope_head_dim: Count,
  qk_nope_head_dim: Count,
  layer_types: z.array(z.string()).nullish(),
  sliding_window: Count,
  use_sliding_window: z.boolean().nullish(),
  max_window_layers: z.int().nonnegative().nullish(),
  sliding_window_pattern: Count,
  attention_chunk_size: Count,
  full_attention_interval: Count,
  linear_num_key_heads: Count,
  linear_num_value_heads: Count,
  linear_key_head_dim: Count,
  linear_value_head_dim: Count,
  linear_conv_kernel_dim: Count,
  mamba_ssm_dtype: z.string().nullish(),
});
type Text = z.infer<typeof Text>;
const Config = Text.extend({ text_config: Text.nullish() });

export interface ConfigFacts {
  shape: Omit<ModelShape, 'weightsBytes' | 'parameters'>;
  /** Of a quantised weight, where several are packed into one number. */
  packedBits: number;
}

/** What a config.json describes; `file` is named in what is thrown. */
export function readModelConfig(json: unknown, file: string): ConfigFacts {
  const read = Config.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw unusable(file, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it is not an object'}`);
  }
  const { text_config: nested, ...outer } = read.data;
  const text: Text = nested?.num_hidden_layers == null ? outer : nested;
  const kind = outer.architectures?.[0] ?? outer.model_type ?? 'that is not named';
  const must = (name: string, value: number | null | undefined): number => {
    if (value != null) return value;
    throw unusable(
      file,
      `it has no ${name}; how much memory a model of the architecture ${kind} takes is not known`,
    );
  };
  const layers = must('num_hidden_layers', text.num_hidden_layers);
  const hiddenSize = must('hidden_size', text.hidden_size);
  const heads = must('num_attention_heads', text.num_attention_heads);
  const quantised = outer.quantization_config ?? text.quantization_config;
  const quantisation = quantised?.quant_method;
  const [group] = Object.values(quantised?.config_groups ?? {});
  const shape: ConfigFacts['shape'] = {
    layers,
    hiddenSize,
    heads,
    kvHeads: text.num_key_value_heads ?? heads,
    headDim: text.head_dim ?? headDim(text) ?? Math.ceil(hiddenSize / heads),
    vocabulary: must('vocab_size', text.vocab_size ?? outer.vocab_size),
    ...cachedLayers(text, layers, `${kind}`, file, must),
    ...(text.kv_lora_rank == null
      ? {}
      : { latent: text.kv_lora_rank + must('qk_rope_head_dim', text.qk_rope_head_dim) }),
    maxContext: longest(text, must),
    dtype: text.dtype ?? text.torch_dtype ?? outer.dtype ?? outer.torch_dtype ?? 'bfloat16',
    ...(quantisation == null ? {} : { quantisation }),
  };
  return { shape, packedBits: quantised?.bits ?? group?.weights?.num_bits ?? 4 };
}

type Must = (name: string, value: number | null | undefined) => number;

function cachedLayers(
  text: Text,
  layers: number,
  kind: string,
  file: string,
  must: Must,
): Pick<ModelShape, 'kvLayers' | 'windowLayers' | 'window' | 'stateBytes'> {
  // Encoders look at a whole text at once and keep nothing.
  if (/Bert|Roberta/i.test(kind)) return { kvLayers: 0 };
  const types = typesOf(text, layers);
  if (types === undefined) return {};
  const count = (...names: string[]) => types.filter((type) => names.includes(type)).length;
  const full = count('full_attention');
  const windows = count('sliding_attention', 'chunked_attention');
  const linear = count('linear_attention');
  const strange = types.find(
    (type) =>
      !['full_attention', 'sliding_attention', 'chunked_attention', 'linear_attention'].includes(type),
  );
  if (strange !== undefined)
    throw unusable(
      file,
      `its layers of the type ${strange} (architecture ${kind}) are not known, so that their memory cannot be told`,
    );
  return {
    kvLayers: full,
    ...(windows === 0
      ? {}
      : {
          windowLayers: windows,
          window: must('sliding_window', text.sliding_window ?? text.attention_chunk_size),
        }),
    ...(linear === 0 ? {} : { stateBytes: linear * stateOf(text, must) }),
  };
}

// What each layer is, where not all are full attention.
function typesOf(text: Text, layers: number): string[] | undefined {
  if (text.layer_types != null) return text.layer_types.slice(0, layers);
  const each = (type: (layer: number) => string) => Array.from({ length: layers }, (_, layer) => type(layer));
  const every = (period: number, other: string) =>
    each((layer) => ((layer + 1) % period === 0 ? 'full_attention' : other));
  if (text.full_attention_interval != null) return every(text.full_attention_interval, 'linear_attention');
  if (text.sliding_window == null || text.use_sliding_window === false) return undefined;
  if (text.sliding_window_pattern != null) return every(text.sliding_window_pattern, 'sliding_attention');
  const first = text.max_window_layers ?? 0;
  return each((layer) => (layer < first ? 'full_attention' : 'sliding_attention'));
}

// Of one layer and request: the recurrent state, and the inputs that its convolution still needs.
function stateOf(text: Text, must: Must): number {
  const keys = must('linear_num_key_heads', text.linear_num_key_heads);
  const values = must('linear_num_value_heads', text.linear_num_value_heads);
  const keyDim = must('linear_key_head_dim', text.linear_key_head_dim);
  const valueDim = must('linear_value_head_dim', text.linear_value_head_dim);
  const inputs = (2 * keys * keyDim + values * valueDim) * ((text.linear_conv_kernel_dim ?? 4) - 1);
  return values * keyDim * valueDim * (text.mamba_ssm_dtype === 'float32' ? 4 : 2) + 2 * inputs;
}

const headDim = ({ qk_nope_head_dim: plain, qk_rope_head_dim: turned }: Text) =>
  plain == null || turned == null ? undefined : plain + turned;

// As vLLM derives it: positions stretched by YaRN count from the original ones.
function longest(text: Text, must: Must): number {
  const rope = text.rope_scaling ?? text.rope_parameters;
  const positions = must('max_position_embeddings', text.max_position_embeddings);
  const kind = rope?.rope_type ?? rope?.type ?? 'default';
  if (rope?.factor == null || !['yarn', 'linear', 'dynamic'].includes(kind)) return positions;
  const from = kind === 'yarn' ? (rope.original_max_position_embeddings ?? positions) : positions;
  return Math.round(from * rope.factor);
}

function unusable(file: string, what: string): AutocodeError {
  return new AutocodeError('ERR_WEIGHTS', `${file} cannot be planned with: ${what}.`, {
    remedy:
      'See that the file is the one that came with the weights. What the planner does not know can be served by an engine of your own, named under models.engines in the configuration.',
  });
}
