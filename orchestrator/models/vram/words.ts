// The plan in words: what a model takes, what it can do with it, or why it cannot run. Used by plan.ts.
import type { Footprint, LocalModel, ModelShape } from '../../../protocol/local-model.ts';
import { indivisible } from './footprint.ts';
import { freeOf, gpusOf, mostMib } from './placements.ts';
import type { ModelPlacement, PlannedCard } from './placements.ts';

// What the driver takes of an idle GPU explains nothing.
const WORTH_TELLING_MIB = 256;

/** `18.7 GiB`. */
export const gib = (mib: number): string => `${(mib / 1024).toFixed(1)} GiB`;
/** `79,616`. */
export const number = (value: number): string => value.toLocaleString('en');
/** `2 requests of 32,768 tokens`. */
export const requests = (sequences: number, context: number): string =>
  `${number(sequences)} ${sequences === 1 ? 'request' : 'requests'} of ${number(context)} tokens`;

/** What it takes, and what that is enough for. */
export function whyItFits(
  model: LocalModel,
  need: Footprint,
  placement: ModelPlacement,
  calibration: number | null,
): string {
  const { gpus, predictedMib, gpuMemoryUtilization: share, tokens } = placement;
  const where = gpus.length === 1 ? `GPU ${gpus[0]}` : `each of GPU ${gpus.join(', ')}`;
  const cacheMib = predictedMib - need.weightsMib - need.runtimeMib;
  const holds =
    need.kvMib === 0
      ? 'It keeps no KV cache.'
      : `That holds ${number(tokens)} tokens: ${requests(model.sequences, model.context)} at a time, or more that are shorter.`;
  return [
    `It takes ${gib(predictedMib)} of ${where} (${(share * 100).toFixed(0)} %): ${gib(need.weightsMib)} for weights, ${gib(need.runtimeMib)} for the engine, ${gib(cacheMib)} for the KV cache.`,
    holds,
    ...corrected(calibration),
  ].join(' ');
}

/** Why it cannot run on these GPUs. */
export function whyItDoesNot(
  model: LocalModel,
  shape: ModelShape,
  need: Footprint,
  cards: readonly PlannedCard[],
  calibration: number | null,
): string {
  const { tensorParallel, context, sequences } = model;
  if (context > shape.maxContext)
    return `It goes up to ${number(shape.maxContext)} tokens; ${number(context)} are asked for.`;
  const split = indivisible(shape, tensorParallel);
  if (split !== undefined) return `It cannot be split between ${tensorParallel} GPUs: ${split}.`;
  const wanted = gpusOf(model);
  if (cards.length < wanted)
    return `${wanted === tensorParallel ? `Tensor parallelism ${tensorParallel} needs` : `Replicas up to ${wanted / tensorParallel} by Ray Serve need`} ${wanted} GPUs, and there ${cards.length === 1 ? 'is one' : `are ${cards.length}`}.`;
  const most = mostMib(model, cards, calibration ?? 1);
  const taken = cards
    .filter(({ foreignMib }) => foreignMib >= WORTH_TELLING_MIB)
    .map(
      (card) =>
        `${gib(card.foreignMib)} of GPU ${card.index} are taken by others (${gib(freeOf(card))} are left).`,
    );
  return [
    `It needs ${gib(need.totalMib)} ${tensorParallel === 1 ? 'of one GPU' : `of each of ${tensorParallel} GPUs`}: ${gib(need.weightsMib)} for weights in ${shape.quantisation ?? shape.dtype}, ${gib(need.runtimeMib)} for the engine, ${gib(need.kvMib)} for the KV cache of ${requests(sequences, context)}.`,
    `It may take ${gib(most)} (${(model.gpuMemoryUtilization * 100).toFixed(0)} % of a GPU at most).`,
    ...taken,
    ...corrected(calibration),
  ].join(' ');
}

function corrected(calibration: number | null): string[] {
  const percent = Math.round(((calibration ?? 1) - 1) * 100);
  if (percent === 0) return [];
  const compared = percent > 0 ? `${percent} % more` : `${-percent} % less`;
  return [`Earlier loads took ${compared} than predicted, which is counted in.`];
}
