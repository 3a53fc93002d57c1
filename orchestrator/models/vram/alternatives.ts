// What would make a model fit that does not: other precisions, more GPUs, fewer or shorter requests, larger GPUs. Each is
// tried with the planner itself before it is named. Used by plan.ts.
import type { LocalModel, ModelShape } from '../../../protocol/local-model.ts';
import { footprint, indivisible } from './footprint.ts';
import { hasPlacement } from './placements.ts';
import type { PlannedCard } from './placements.ts';
import { bitsOf, inPrecision } from './precision.ts';
import { gib, number, requests } from './words.ts';

interface Variant {
  model: LocalModel;
  shape: ModelShape;
  /** What was changed, in words. */
  changes: string[];
}

// Less is of no use to an agent.
const LEAST_CONTEXT = 4096;
const STEP = 1024;
const MOST = 5;

/** What would make it fit, the smallest change first. */
export function wouldFit(
  model: LocalModel,
  shape: ModelShape,
  cards: readonly PlannedCard[],
  calibration: number,
): string[] {
  if (model.context > shape.maxContext) return [`a context of ${number(shape.maxContext)} tokens or less`];
  const fits = (variant: Variant) => hasPlacement(variant.model, variant.shape, cards, calibration);
  const variants = variantsOf(model, shape, cards.length);
  const whole = minimal(variants.filter((variant) => variant.changes.length > 0 && fits(variant)));
  const others = variants.filter((variant) => !whole.some((enough) => isPartOf(enough, variant)));
  const smaller = others.flatMap((variant) => lighter(variant, fits));
  const fewest = Math.min(...smaller.map(({ changes }) => changes.length));
  const larger = largerGpus(model, shape);
  return [...whole, ...smaller.filter(({ changes }) => changes.length === fewest)]
    .map(({ changes }) => changes.join(', '))
    .concat(larger)
    .slice(0, MOST);
}

// The model in each precision that is below its own, on each number of GPUs that it can be split between.
function variantsOf(model: LocalModel, shape: ModelShape, gpus: number): Variant[] {
  const bits = bitsOf(shape);
  const precisions = [
    { shape, changes: [] as string[] },
    ...(bits > 12 ? [{ shape: inPrecision(shape, 'int8'), changes: ['8-bit weights'] }] : []),
    ...(bits > 7 ? [{ shape: inPrecision(shape, 'int4'), changes: ['int4 weights (AWQ or GPTQ)'] }] : []),
  ];
  const own = model.tensorParallel;
  const splits = Array.from({ length: gpus }, (_, at) => at + 1).filter((split) => {
    if (split === own) return true;
    const less = split < own && own <= gpus && indivisible(shape, own) === undefined;
    return !less && indivisible(shape, split) === undefined;
  });
  return splits.flatMap((tensorParallel) =>
    precisions.map(({ shape: weights, changes }) => ({
      model: { ...model, tensorParallel },
      shape: weights,
      changes:
        tensorParallel === own
          ? changes
          : [...changes, tensorParallel === 1 ? 'one GPU' : `tensor parallelism ${tensorParallel}`],
    })),
  );
}

// Those of which no part would do.
function minimal(variants: Variant[]): Variant[] {
  return variants
    .filter((variant) => !variants.some((other) => other !== variant && isPartOf(other, variant)))
    .sort((a, b) => a.changes.length - b.changes.length);
}

const isPartOf = (part: Variant, whole: Variant) =>
  part.changes.every((change) => whole.changes.includes(change));

// The same with fewer requests at a time, and where that is not enough with one that is shorter.
function lighter({ model, shape, changes }: Variant, fits: (variant: Variant) => boolean): Variant[] {
  const attempt = (sequences: number, context: number): Variant => ({
    model: { ...model, sequences, context },
    shape,
    changes: [...changes, `${requests(sequences, context)} at a time`],
  });
  const fewer = largest(1, model.sequences - 1, (sequences) => fits(attempt(sequences, model.context)));
  if (fewer !== undefined) return [attempt(fewer, model.context)];
  const steps = Math.ceil(model.context / STEP) - 1;
  const shorter = largest(LEAST_CONTEXT / STEP, steps, (step) => fits(attempt(1, step * STEP)));
  return shorter === undefined ? [] : [attempt(1, shorter * STEP)];
}

// The largest number of a range that does, where all below it do too.
function largest(from: number, to: number, does: (value: number) => boolean): number | undefined {
  let found: number | undefined;
  for (let [low, high] = [from, to]; low <= high;) {
    const middle = Math.floor((low + high) / 2);
    if (does(middle)) [found, low] = [middle, middle + 1];
    else high = middle - 1;
  }
  return found;
}

function largerGpus(model: LocalModel, shape: ModelShape): string[] {
  const { tensorParallel } = model;
  if (indivisible(shape, tensorParallel) !== undefined) return [];
  const each = gib(Math.ceil(footprint(model, shape).totalMib / model.gpuMemoryUtilization));
  return [tensorParallel === 1 ? `a GPU of ${each}` : `${tensorParallel} GPUs of ${each} each`];
}
