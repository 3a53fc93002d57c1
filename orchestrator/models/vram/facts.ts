// What is known of a model's memory: by its weights where they are here, else by what the catalogue says of them.
// Used by the supervisor and the plan.
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { LocalModel, ModelShape } from '../../../protocol/local-model.ts';
import { readModelConfig } from './config-json.ts';
import { weightsIn } from './safetensors.ts';

export interface Facts {
  shape: ModelShape;
  source: 'weights' | 'catalogue';
}

/** The model's shape; throws what is wrong with its weights, and where. */
export async function shapeOf(
  model: Pick<LocalModel, 'name' | 'path' | 'shape' | 'engine'>,
  weightsRoot: string,
): Promise<Facts> {
  const directory = resolve(weightsRoot, model.path);
  const file = join(directory, 'config.json');
  const text = model.engine === 'ollama' ? undefined : await textOf(file);
  if (text === undefined) {
    if (model.shape !== undefined) return { shape: model.shape, source: 'catalogue' };
    throw new AutocodeError(
      'ERR_WEIGHTS',
      model.engine === 'ollama'
        ? `Nothing is known of ${model.name}: Ollama keeps its weights, and the catalogue has no shape of it.`
        : `Nothing is known of ${model.name}: there is no ${file}, and the catalogue has no shape of it.`,
      {
        remedy:
          model.engine === 'ollama'
            ? 'Say its `shape` in the catalogue (docs/models.schema.json).'
            : 'Bring its weights with `autocode model import PATH`, or say its `shape` in the catalogue.',
      },
    );
  }
  const { shape, packedBits } = readModelConfig(json(text, file), file);
  const { bytes, parameters } = await weightsIn(directory, shape.layers, packedBits);
  const told = parameters > 0 ? { parameters } : {}; // none where all are packed in a way that is not known
  return { shape: { ...shape, ...told, weightsBytes: bytes }, source: 'weights' };
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new AutocodeError('ERR_WEIGHTS', `${file} cannot be read: ${(error as Error).message}.`, {
      remedy: 'Let the user of the daemon read it.',
      cause: error,
    });
  }
}

function json(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AutocodeError('ERR_WEIGHTS', `${file} is not JSON: ${(cause as Error).message}.`, {
      remedy: 'Bring the weights again: `autocode model import PATH`.',
      cause,
    });
  }
}
