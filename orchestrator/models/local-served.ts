// The models that the appliance runs itself, as the catalogue offers them: what their engines speak, what they cost.
import type { LocalModel, ManagedEngineKind } from '../../protocol/local-model.ts';
import type { Protocol } from '../../protocol/model.ts';
import type { LocalModels } from '../config/local-model-settings.ts';
import type { ResolvedModel } from './catalogue.ts';
import { offered } from './translate/table.ts';

/** What they are asked for by: `local/<name>`. */
const ENGINE = 'local';

/** Tokens of a model that is paid by GPU time. */
export const BY_GPU: Pick<ResolvedModel, 'price' | 'priceSource'> = {
  price: { input: 0, cached: 0, output: 0 },
  priceSource: 'gpu',
};

/** What each engine speaks itself; everything else is translated for it. */
const SPOKEN: Record<ManagedEngineKind, readonly Protocol[]> = {
  vllm: ['chat', 'completions', 'messages'],
  'ray-serve': ['chat', 'completions'],
  ollama: ['chat', 'completions'],
};

/**
 * The catalogue's entries of these models. Where the hour of a GPU has a price they are paid by it, and their tokens cost
 * nothing unless a price is set for them.
 */
export function localModels(
  models: readonly LocalModel[],
  gpu: LocalModels['gpu'],
  unpriced: Pick<ResolvedModel, 'price' | 'priceSource'>,
): ResolvedModel[] {
  const priced = gpu.pricePerHour === undefined ? unpriced : BY_GPU;
  return models.map(({ name, engine, task, context }) => {
    const spoken: readonly Protocol[] = task === 'embed' ? ['embeddings'] : SPOKEN[engine];
    return {
      name: localName(name),
      engine: ENGINE,
      kind: 'local',
      protocols: offered(spoken),
      ...priced,
      serves: { kind: 'local', model: name, spoken, context, gpu },
    };
  });
}

/** The whole name of a model that the appliance runs itself. */
export function localName(model: string): string {
  return `${ENGINE}/${model}`;
}
