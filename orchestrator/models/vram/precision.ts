// What the weights of a model would take in another precision: for questions before anybody has quantised it. Used by
// the plan.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ModelShape } from '../../../protocol/local-model.ts';

// int4: groups of 128 with a scale and a zero point each. Embeddings and lm_head stay in 16 bits below that.
const BITS: Readonly<Record<string, number>> = {
  float32: 32,
  bfloat16: 16,
  float16: 16,
  fp8: 8,
  int8: 8,
  int4: 4.25,
};
const KEPT_BITS = 16;

/** The shape with its weights in `precision`. */
export function inPrecision(shape: ModelShape, precision: string): ModelShape {
  const bits = Object.hasOwn(BITS, precision) ? BITS[precision] : undefined;
  if (bits === undefined)
    throw new AutocodeError('ERR_INVALID_INPUT', `There is no precision "${precision}".`, {
      remedy: `Use one of ${Object.keys(BITS).join(', ')}.`,
    });
  const { quantisation: _, ...rest } = shape;
  const parameters = parametersOf(shape);
  const kept = bits < KEPT_BITS ? Math.min(parameters, 2 * shape.vocabulary * shape.hiddenSize) : 0;
  const weightsBytes = Math.round(((parameters - kept) * bits + kept * KEPT_BITS) / 8);
  return bits < KEPT_BITS
    ? { ...rest, weightsBytes, quantisation: precision }
    : { ...rest, weightsBytes, dtype: precision };
}

/** Bits that a weight takes on average. */
export const bitsOf = (shape: ModelShape): number => (shape.weightsBytes * 8) / parametersOf(shape);

// Without a word about it, weights that are not quantised have 16 bits, and others about 4.
const parametersOf = ({ parameters, weightsBytes, quantisation }: ModelShape) =>
  parameters ?? Math.round(weightsBytes / (quantisation === undefined ? 2 : 0.6));
