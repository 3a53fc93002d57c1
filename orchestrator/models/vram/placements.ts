// Every way to put a model on the GPUs. Used by the supervisor, which hands them to the decision loop, and by the plan.
import type { LocalModel, ModelShape } from '../../../protocol/local-model.ts';
import { footprint, indivisible, tokensIn } from './footprint.ts';

/** A GPU as the planner sees it. */
export interface PlannedCard {
  index: number;
  totalMib: number;
  /** Taken by others. */
  foreignMib: number;
}

export interface ModelPlacement {
  gpus: number[];
  /** That it will really take of each of them, by what earlier loads took. */
  mib: number;
  /** The same as the engine is told; to be recorded as the prediction. */
  predictedMib: number;
  gpuMemoryUtilization: number;
  /** That its KV cache will hold, of all requests together. */
  tokens: number;
}

// Shares are told to the engine in hundredths of a percent.
const STEPS = 10_000;

/** GPUs of one placement. Ray Serve runs all replicas of a model by itself, so they are kept free for it together. */
export function gpusOf({ engine, tensorParallel, replicas }: LocalModel): number {
  return engine === 'ray-serve' ? tensorParallel * replicas.max : tensorParallel;
}

/** All placements that fit on empty GPUs, the preferred one first; `calibration`: measured ÷ predicted of earlier loads. */
export function placementsOf(
  model: LocalModel,
  shape: ModelShape,
  cards: readonly PlannedCard[],
  calibration = 1,
): ModelPlacement[] {
  if (!hasPlacement(model, shape, cards, calibration)) return [];
  const { totalMib } = footprint(model, shape);
  const found = subsets(cards, gpusOf(model)).flatMap((group) => {
    const share = shareOf(model, totalMib, group, calibration);
    if (share === undefined) return [];
    const predictedMib = Math.floor(share * smallest(group) + 1e-6);
    const placement: ModelPlacement = {
      gpus: group.map(({ index }) => index),
      mib: Math.ceil(predictedMib * calibration),
      predictedMib,
      gpuMemoryUtilization: share,
      tokens: tokensIn(model, shape, predictedMib),
    };
    return [{ placement, free: Math.min(...group.map(freeOf)) }];
  });
  // A model of its own GPUs gets those with the most room, one that shares leaves these to others.
  const order = model.shared ? 1 : -1;
  return found.sort((a, b) => order * (a.free - b.free)).map(({ placement }) => placement);
}

/** The most of each GPU that the engine could be given on any group of them, in MiB; 0 with too few GPUs. */
export function mostMib(model: LocalModel, cards: readonly PlannedCard[], calibration = 1): number {
  // Of the GPUs that are no smaller than one of them, the emptiest.
  const groups = cards.map(({ totalMib }) =>
    cards
      .filter((card) => card.totalMib >= totalMib)
      .sort((a, b) => freeOf(b) / b.totalMib - freeOf(a) / a.totalMib)
      .slice(0, gpusOf(model)),
  );
  const most = groups
    .filter((group) => group.length === gpusOf(model))
    .map((group) => Math.floor(mostShare(model, group, calibration) * smallest(group) + 1e-6));
  return Math.max(0, ...most);
}

/** Whether it has a placement at all. */
export function hasPlacement(
  model: LocalModel,
  shape: ModelShape,
  cards: readonly PlannedCard[],
  calibration = 1,
): boolean {
  const possible =
    model.context <= shape.maxContext && indivisible(shape, model.tensorParallel) === undefined;
  return possible && footprint(model, shape).totalMib <= mostMib(model, cards, calibration);
}

// All groups of `size`, in their order.
function subsets<T>(all: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return all.flatMap((first, at) => subsets(all.slice(at + 1), size - 1).map((rest) => [first, ...rest]));
}

export const freeOf = ({ totalMib, foreignMib }: PlannedCard) => totalMib - foreignMib;

// The engine takes the same share of all its GPUs, and refuses to start when it is not free on one of them.
function mostShare(model: LocalModel, group: readonly PlannedCard[], calibration: number): number {
  const free = group.map((card) => freeOf(card) / (card.totalMib * calibration));
  return Math.max(0, Math.floor(Math.min(model.gpuMemoryUtilization, ...free) * STEPS + 1e-6) / STEPS);
}

function shareOf(
  model: LocalModel,
  needMib: number,
  group: readonly PlannedCard[],
  calibration: number,
): number | undefined {
  const most = mostShare(model, group, calibration);
  const need = Math.ceil((needMib / smallest(group)) * STEPS - 1e-6) / STEPS;
  if (need > most) return undefined;
  return model.shared ? need : most;
}

const smallest = (group: readonly PlannedCard[]) => Math.min(...group.map(({ totalMib }) => totalMib));
