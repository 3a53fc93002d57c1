// The keys of engines without which a model does not answer. Used by the API, for tasks that wait until secrets can be read.
import type { Catalogue } from './catalogue.ts';

/** The secrets of all engines of a model's ladder; none where one of them needs none, or the model is not known. */
export function neededKeys(catalogue: Pick<Catalogue, 'ladder'>, model: string): string[] {
  try {
    const keys = catalogue
      .ladder(model)
      .map(({ serves }) => (serves.kind === 'upstream' ? serves.engine.apiKeySecret : undefined));
    return keys.every((key) => key !== undefined) ? [...new Set(keys)] : [];
  } catch {
    return []; // the gateway tells what is wrong with it
  }
}
