// How much memory a model takes on each of its GPUs: weights, KV cache of the requests that it promises, and what the
// engine needs besides. Used by placements.ts and the plan.
import type { Footprint, LocalModel, ModelShape } from '../../../protocol/local-model.ts';

export const MIB = 1024 * 1024;

// vLLM on one Ampere card: the CUDA context, cuBLAS and NCCL and the activations of one step take about 1 GiB, captured
// CUDA graphs about 0.5 GiB more; reports of users lie between 1.0 and 1.5 GiB. Measured loads correct the sum
// (calibration.ts). Embeddings and lm_head are split between the GPUs like all other weights.
const CONTEXT_AND_ACTIVATIONS_MIB = 1024;
const CUDA_GRAPHS_MIB = 512;
const EAGER = '--enforce-eager';

type Demand = Pick<LocalModel, 'dtype' | 'tensorParallel' | 'context' | 'sequences' | 'kvDtype' | 'flags'>;

/** The memory for `sequences` requests of `context` tokens each; `tokens` is how many these are. */
export function footprint(model: Demand, shape: ModelShape): Footprint {
  const { context, sequences } = model;
  const parts = besidesTheCache(model, shape);
  const kvMib = Math.ceil((sequences * (perRequest(model, shape) + context * perToken(model, shape))) / MIB);
  return {
    ...parts,
    kvMib,
    totalMib: parts.weightsMib + parts.runtimeMib + kvMib,
    tokens: context * sequences,
  };
}

/** How many tokens of all requests together the KV cache holds when the engine may take so much of each GPU. */
export function tokensIn(model: Demand, shape: ModelShape, mib: number): number {
  const { weightsMib, runtimeMib } = besidesTheCache(model, shape);
  const left = (mib - weightsMib - runtimeMib) * MIB - model.sequences * perRequest(model, shape);
  const each = perToken(model, shape);
  if (left < 0) return 0;
  return each === 0 ? model.context * model.sequences : Math.floor(left / each);
}

/** Why the model cannot be split between so many GPUs; undefined when it can. */
export function indivisible(shape: ModelShape, tensorParallel: number): string | undefined {
  const { heads, kvHeads, latent } = shape;
  if (heads % tensorParallel !== 0)
    return `its ${heads} attention heads cannot be split by ${tensorParallel}`;
  const shared = kvHeads % tensorParallel === 0 || tensorParallel % kvHeads === 0 || latent !== undefined;
  return shared ? undefined : `its ${kvHeads} KV heads cannot be split by ${tensorParallel}`;
}

function besidesTheCache(model: Demand, shape: ModelShape): Pick<Footprint, 'weightsMib' | 'runtimeMib'> {
  const graphs = model.flags.includes(EAGER) ? 0 : CUDA_GRAPHS_MIB;
  return {
    weightsMib: Math.ceil(loadedBytes(model, shape) / model.tensorParallel / MIB),
    runtimeMib: CONTEXT_AND_ACTIVATIONS_MIB + graphs,
  };
}

// vLLM keeps weights and cache in 16 bits unless it is told not to, also those that lie on the disk in 32.
const isWide = (dtype: string | undefined) => dtype === 'float32' || dtype === 'float';

function loadedBytes({ dtype }: Demand, { weightsBytes, quantisation, dtype: stored }: ModelShape): number {
  if (quantisation !== undefined || isWide(dtype) === isWide(stored)) return weightsBytes;
  return isWide(dtype) ? weightsBytes * 2 : weightsBytes / 2;
}

/** Bytes on each GPU for a token that all growing layers keep. */
function perToken(model: Demand, shape: ModelShape): number {
  return (shape.kvLayers ?? shape.layers) * perLayer(model, shape);
}

/** Bytes on each GPU for a request, whatever its length: windows that are full, states of linear attention. */
function perRequest(model: Demand, shape: ModelShape): number {
  const { windowLayers = 0, window = 0, stateBytes = 0 } = shape;
  const windows = windowLayers * Math.min(window, model.context) * perLayer(model, shape);
  return windows + stateBytes / model.tensorParallel;
}

// Keys and values are split by their heads; with more GPUs than KV heads each has one whole head. What MLA keeps has no
// heads, so that each GPU has all of it.
function perLayer(
  { tensorParallel, kvDtype, dtype }: Demand,
  { kvHeads, headDim, latent }: ModelShape,
): number {
  const values = latent ?? 2 * Math.ceil(kvHeads / tensorParallel) * headDim;
  return values * (kvDtype === 'fp8' ? 1 : isWide(dtype) ? 4 : 2);
}
