import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalModel } from '../../../protocol/local-model.ts';
import type { Launch } from './managed.ts';
import { readArguments, vllmArguments, vllmEnvironment } from './vllm-arguments.ts';

function launchOf(model: object): Launch {
  return {
    id: '00000000-0000-4000-8000-000000000000',
    model: LocalModel.parse({ name: 'coder', path: 'coder', ...model }),
    replica: 0,
    weights: '/weights/coder',
    gpus: [1, 0],
    gpuMemoryUtilization: 0.85,
  };
}

/** The arguments as they are read: names with their values. */
function told(model: object): string {
  return vllmArguments(launchOf(model), 4321).join(' ');
}

const cases: [string, object, string[], string[]][] = [
  [
    'where and what',
    { tensorParallel: 2, context: 65_536, sequences: 12 },
    [
      'serve /weights/coder --host 127.0.0.1 --port 4321 --served-model-name coder',
      '--tensor-parallel-size 2',
      '--gpu-memory-utilization 0.85',
      '--max-model-len 65536',
      '--max-num-seqs 12',
      '--enable-prefix-caching',
      '--enable-sleep-mode',
    ],
    ['--dtype', '--quantization', '--kv-cache-dtype', '--tool-call-parser', '--reasoning-parser', '--runner'],
  ],
  [
    'quantised',
    { quantisation: 'awq_marlin', dtype: 'float16', kvDtype: 'fp8' },
    ['--quantization awq_marlin', '--dtype float16', '--kv-cache-dtype fp8'],
    [],
  ],
  [
    'parsers',
    { toolCallParser: 'hermes', reasoningParser: 'deepseek_r1' },
    ['--enable-auto-tool-choice --tool-call-parser hermes', '--reasoning-parser deepseek_r1'],
    [],
  ],
  ['embeddings', { task: 'embed' }, ['--runner pooling --convert embed'], ['--enable-prefix-caching']],
  ['never asleep', { sleepLevel: 0 }, [], ['--enable-sleep-mode']],
];

for (const [name, model, present, absent] of cases) {
  test(`vLLM is told of a model: ${name}`, () => {
    const line = told(model);
    for (const each of present) assert.ok(line.includes(each), `${each} in ${line}`);
    for (const each of absent) assert.ok(!line.includes(each), `no ${each} in ${line}`);
  });
}

test('the flags of the catalogue come last, so that they win', () => {
  assert.ok(
    told({ flags: ['--no-enable-sleep-mode', '--enforce-eager'] }).endsWith(
      '--no-enable-sleep-mode --enforce-eager',
    ),
  );
});

test('an engine gets the part of the environment that is meant for it, and no secret', () => {
  const environment = vllmEnvironment(launchOf({ environment: { OMP_NUM_THREADS: '4' } }), {
    PATH: '/bin',
    HOME: '/root',
    LD_LIBRARY_PATH: '/cuda',
    CUDA_HOME: '/cuda',
    CUDA_VISIBLE_DEVICES: '7',
    VLLM_CPU_KVCACHE_SPACE: '1',
    VLLM_API_KEY: 'secret',
    HF_TOKEN: 'secret',
    OPENAI_API_KEY: 'secret',
    AUTOCODE_SECRET_KEY: 'secret',
    DATABASE_URL: 'secret',
    OMP_NUM_THREADS: undefined,
  });
  assert.ok(!Object.values(environment).includes('secret'));
  const { PATH, CUDA_HOME, CUDA_VISIBLE_DEVICES, VLLM_CPU_KVCACHE_SPACE, OMP_NUM_THREADS, HF_HUB_OFFLINE } =
    environment;
  assert.deepEqual(
    { PATH, CUDA_HOME, CUDA_VISIBLE_DEVICES, VLLM_CPU_KVCACHE_SPACE, OMP_NUM_THREADS, HF_HUB_OFFLINE },
    {
      PATH: '/bin',
      CUDA_HOME: '/cuda',
      CUDA_VISIBLE_DEVICES: '1,0',
      VLLM_CPU_KVCACHE_SPACE: '1',
      OMP_NUM_THREADS: '4',
      HF_HUB_OFFLINE: '1',
    },
  );
});

test('port and name of an engine are read back from its arguments', () => {
  assert.deepEqual(readArguments(['python', 'vllm', ...vllmArguments(launchOf({}), 4321)]), {
    port: 4321,
    served: 'coder',
  });
  assert.equal(readArguments(['sleep', '1']), undefined);
});
