// Local models for tests on GPUs that are files: weights as small as they can be, a catalogue, and the program in place of vLLM.
// Used by the tests of the supervisor and by test/e2e.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LocalModel } from '../../../../protocol/local-model.ts';
import { modelFiles, writeFiles } from '../../weights/testing/tiny-model.ts';
import type { Behaviour } from './engine-program.ts';

/** Given as models.local.vllm. */
export const ENGINE_PROGRAM = path.join(import.meta.dirname, 'engine-program.ts');
export const CARD_MIB = 8_192;

const CONFIG = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  num_hidden_layers: 2,
  hidden_size: 64,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 100,
  max_position_embeddings: 4096,
};

export interface LocalModelsRig {
  models: LocalModel[];
  /** Directory of the weights. */
  weights: string;
  /** Text of the catalogue. */
  catalogue: string;
  /** Lets the engine of a model behave so from now on. */
  behave(model: string, behaviour: Behaviour): void;
  /** Models that were found to have more of a card than there is. */
  overcommitted(): string;
  /** Pids of the engines that run, by model. */
  engines(): { model: string; pid: number }[];
}

/** Writes weights of the models below a directory; each has a card for itself unless it says otherwise. */
export function localModelsRig(
  directory: string,
  entries: (Partial<LocalModel> & { name: string })[],
): LocalModelsRig {
  const weights = path.join(directory, 'weights');
  const gpus = path.join(directory, 'gpus');
  mkdirSync(gpus, { recursive: true });
  writeFileSync(path.join(gpus, 'total'), String(CARD_MIB));
  const models = entries.map((entry) =>
    LocalModel.parse({ path: entry.name, context: 1024, environment: { STAND_IN_GPUS: gpus }, ...entry }),
  );
  for (const model of models)
    writeFiles(path.join(weights, model.path), {
      ...modelFiles(),
      'config.json': Buffer.from(JSON.stringify(CONFIG)),
    });
  return {
    models,
    weights,
    catalogue: JSON.stringify({ models }),
    behave: (model, behaviour) =>
      writeFileSync(path.join(weights, model, '.behaviour.json'), JSON.stringify(behaviour)),
    overcommitted() {
      const file = path.join(gpus, 'overcommitted');
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    },
    engines: () =>
      readdirSync(gpus)
        .map((name) => ({ name, pid: path.basename(name, '.claim') }))
        .filter(({ name, pid }) => name.endsWith('.claim') && runs(pid))
        .map(({ name, pid }) => {
          const { model } = JSON.parse(readFileSync(path.join(gpus, name), 'utf8')) as { model: string };
          return { model, pid: Number(pid) };
        }),
  };
}

// One that has ended may stay in the list of processes until its parent looks.
function runs(pid: string): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) Z /.test(readFileSync(stat, 'utf8'));
}
