// vLLM as scripts/servers/inference/install leaves it, and its tiny model with random weights. Used by the tests of engines.
import path from 'node:path';
import { LocalModel } from '../../protocol/local-model.ts';

const INFERENCE = path.resolve(import.meta.dirname, '../../.runtime/servers/inference');

export const VLLM = path.join(INFERENCE, 'bin/vllm');
/** Directory under which the tiny model's weights are, as `model-weights`. */
export const WEIGHTS = INFERENCE;
export const TINY = path.join(WEIGHTS, 'tiny');

/** The tiny model as an entry of a catalogue, with what makes vLLM start quickly on two cores. */
export function tinyModel(more: Partial<LocalModel> = {}): LocalModel {
  return LocalModel.parse({
    name: 'tiny',
    path: 'tiny',
    dtype: 'float32',
    context: 1024,
    sequences: 4,
    toolCallParser: 'hermes',
    // A processor has no sleep mode: /sleep is there all the same and stops the engine's work.
    flags: ['--enforce-eager', '--no-enable-sleep-mode', '--kv-cache-memory-bytes', String(64 * 1024 * 1024)],
    environment: {
      OMP_NUM_THREADS: '1',
      VLLM_CPU_OMP_THREADS_BIND: 'nobind',
      VLLM_ENABLE_V1_MULTIPROCESSING: '0', // one process less: the worker is in the core's
      VLLM_CACHE_ROOT: path.join(INFERENCE, 'cache'),
    },
    ...more,
  });
}
