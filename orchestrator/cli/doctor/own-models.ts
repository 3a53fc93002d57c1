// Models on the own GPUs, as far as they can be judged without a daemon: their catalogue, the engine, the weights. Used by parts.ts.
import { join } from 'node:path';
import { inheritedEnvironment } from '../../config/client-environment.ts';
import { dataPath } from '../../config/data-directory.ts';
import type { LocalModels } from '../../config/local-model-settings.ts';
import type { Config } from '../../config/schema.ts';
import type { Finding } from './doctor.ts';

/** Whether some of them could be loaded; a catalogue that is broken, or no vLLM, is thrown with what to do. */
export async function ownModels({ dataDir }: Pick<Config, 'dataDir'>, local: LocalModels): Promise<Finding> {
  const { readLocalCatalogue, SHIPPED_CATALOGUE } = await import('../../models/local-catalogue.ts');
  const { findVllm } = await import('../../models/engine/vllm.ts');
  const { weightsState } = await import('../../models/weights/state.ts');
  const models = readLocalCatalogue(local.catalogue ?? SHIPPED_CATALOGUE);
  const root = local.weights ?? dataPath(dataDir, 'model-weights');
  const states = await Promise.all(
    models.map(async ({ name, engine, path }) => ({
      name,
      engine,
      // Ollama keeps its own.
      ...(engine === 'ollama' ? { state: 'here', problem: null } : await weightsState(join(root, path))),
    })),
  );
  const broken = states.filter(({ state }) => state === 'broken');
  if (broken.length > 0)
    return {
      state: 'warn',
      detail: broken.map(({ name, problem }) => `local/${name}: ${problem}`).join('\n'),
      remedy: `See \`autocode model verify ${broken[0]?.name}\`, then import them again.`,
    };
  const here = states.filter(({ state }) => state === 'here');
  if (here.length === 0)
    return {
      state: 'warn',
      detail: `no model of the catalogue has its weights in ${root}`,
      remedy: 'Bring them with `autocode model import PATH` (docs/models.md).',
    };
  if (here.some(({ engine }) => engine === 'vllm'))
    await findVllm(local.vllm, inheritedEnvironment().PATH ?? '');
  return { state: 'ok', detail: `local/${here.map(({ name }) => name).join(', local/')}` };
}
