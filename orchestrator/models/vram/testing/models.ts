// Models and GPUs for the planner's tests.
import { LocalModel } from '../../../../protocol/local-model.ts';
import type { ModelShape } from '../../../../protocol/local-model.ts';
import { readLocalCatalogue, SHIPPED_CATALOGUE } from '../../local-catalogue.ts';
import type { NamedCard, Subject } from '../plan.ts';

/** A model by what matters of it. */
export const localModel = (changes: Partial<LocalModel> = {}): LocalModel =>
  LocalModel.parse({ name: 'm', path: 'm', sequences: 1, ...changes });

/** Equal GPUs; those of the appliance when nothing is said. */
export const cardsOf = (count: number, totalMib = 24_564, foreignMib = 0): NamedCard[] =>
  Array.from({ length: count }, (_, index) => ({ index, name: 'RTX A5000', totalMib, foreignMib }));

/** The shipped catalogue, by what it says itself. */
export const shipped: Subject[] = readLocalCatalogue(SHIPPED_CATALOGUE).map((model) => ({
  model,
  facts: { shape: model.shape as ModelShape, source: 'catalogue' },
  calibration: null,
}));

/** A model of it, changed. */
export function shippedModel(name: string, changes: Partial<LocalModel> = {}): Subject {
  const found = shipped.find(({ model }) => model.name === name);
  if (found === undefined) throw new Error(`no ${name} is shipped`);
  return { ...found, model: { ...found.model, ...changes } };
}
