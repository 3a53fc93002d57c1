import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalModel } from '../../../protocol/local-model.ts';
import type { Launch } from './managed.ts';
import {
  applicationName,
  declaration,
  launchOf,
  routeOf,
  runsOurCode,
  serveState,
} from './ray-serve-application.ts';
import type { Application } from './ray-serve-client.ts';

const ID = '0b0e7f0c-5f4e-4d3c-9a58-2f3b1c7d9e10';

function launch(entry: object, more: Partial<Launch> = {}): Launch {
  const model = LocalModel.parse({ name: 'coder-7b', engine: 'ray-serve', path: 'coder', ...entry });
  return {
    id: ID,
    model,
    replica: 0,
    weights: '/weights/coder',
    gpus: [0],
    gpuMemoryUtilization: 0.85,
    ...more,
  };
}

test('a model on one GPU that calls no tools is run by the application that ships, with a GPU for each replica', () => {
  const declared = declaration(
    launch({ context: 8192, sequences: 4, replicas: { min: 2, max: 2 } }),
    'gcs://code.zip',
  );
  assert.deepEqual(declared, {
    name: 'autocode-coder-7b',
    route_prefix: '/autocode/coder-7b',
    import_path: 'ray_serve_app:build',
    runtime_env: {
      py_modules: ['gcs://code.zip'],
      env_vars: { HF_HUB_OFFLINE: '1', VLLM_NO_USAGE_STATS: '1', AUTOCODE_LAUNCH: ID },
    },
    args: {
      served: 'coder-7b',
      engine: {
        model: '/weights/coder',
        max_model_len: 8192,
        max_num_seqs: 4,
        tensor_parallel_size: 1,
        gpu_memory_utilization: 0.85,
      },
    },
    deployments: [
      {
        name: 'Model',
        num_replicas: 2,
        max_ongoing_requests: 4,
        health_check_period_s: 5,
        max_constructor_retry_count: 1,
        ray_actor_options: { num_gpus: 1 },
        user_config: { sampling: {} },
      },
    ],
  });
  assert.equal(launchOf(declared), ID);
});

test('a model over several GPUs, with tools, with reasoning or for embeddings is run by ray.serve.llm', () => {
  for (const entry of [
    { tensorParallel: 2 },
    { toolCallParser: 'hermes' },
    { reasoningParser: 'qwen3' },
    { task: 'embed' },
  ])
    assert.equal(runsOurCode(launch(entry).model), false, JSON.stringify(entry));
  const entry = { tensorParallel: 2, toolCallParser: 'hermes', quantisation: 'awq_marlin', kvDtype: 'fp8' };
  const declared = declaration(launch(entry, { gpus: [0, 1] }), undefined) as Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any
  assert.equal(declared['import_path'], 'ray.serve.llm:build_openai_app');
  const [config] = declared['args'].llm_configs;
  assert.deepEqual(config.model_loading_config, { model_id: 'coder-7b', model_source: '/weights/coder' });
  assert.deepEqual(config.placement_group_config, { bundle_per_worker: { CPU: 1, GPU: 1 } });
  assert.deepEqual(config.engine_kwargs, {
    max_model_len: 32_768,
    max_num_seqs: 8,
    tensor_parallel_size: 2,
    gpu_memory_utilization: 0.85,
    quantization: 'awq_marlin',
    kv_cache_dtype: 'fp8',
    enable_auto_tool_choice: true,
    tool_call_parser: 'hermes',
  });
  assert.equal(config.deployment_config.num_replicas, 1);
});

test('a model that shares a GPU asks Ray for its share alone', () => {
  const shared = launch({ shared: true }, { gpuMemoryUtilization: 0.3 });
  const [ours] = declaration(shared, 'gcs://x.zip')['deployments'] as [{ ray_actor_options: object }];
  assert.deepEqual(ours.ray_actor_options, { num_gpus: 0.3 });
});

test('between the least and the most replicas their load decides', () => {
  const declared = declaration(launch({ replicas: { min: 1, max: 3 }, sequences: 8 }), 'gcs://x.zip');
  const [{ num_replicas: fixed, autoscaling_config: scaling }] = declared['deployments'] as [
    Record<string, unknown>,
  ];
  assert.equal(fixed, undefined);
  assert.deepEqual(scaling, { min_replicas: 1, max_replicas: 3, target_ongoing_requests: 6 });
});

test('flags of the command line become arguments of the engine', () => {
  const flags = [
    '--enforce-eager',
    '--max-num-batched-tokens',
    '4096',
    '--no-enable-prefix-caching',
    '--rope-scaling={"type":"yarn","factor":4.0}',
    '--load-format',
    'safetensors',
  ];
  const { engine } = declaration(launch({ flags }), 'gcs://x.zip')['args'] as {
    engine: Record<string, unknown>;
  };
  assert.equal(engine['enforce_eager'], true);
  assert.equal(engine['max_num_batched_tokens'], 4096);
  assert.equal(engine['enable_prefix_caching'], false);
  assert.deepEqual(engine['rope_scaling'], { type: 'yarn', factor: 4 });
  assert.equal(engine['load_format'], 'safetensors');
  assert.throws(() => declaration(launch({ flags: ['-q', 'awq'] }), 'gcs://x.zip'), {
    code: 'ERR_CONFIG',
    message: /"-q" of model coder-7b/,
    remedy: /--quantization/,
  });
});

test('each replica that is placed by itself is an application of its own', () => {
  const second = applicationName(launch({}, { replica: 1 }));
  assert.equal(second, 'autocode-coder-7b~1');
  assert.equal(routeOf(second), '/autocode/coder-7b~1');
});

function application(
  status: string,
  deployments: Record<string, { message?: string; replicas: string[] }>,
  message = '',
): Application {
  const config = declaration(launch({}), 'gcs://x.zip');
  const told = Object.entries(deployments).map(([name, { message: said, replicas }]) => [
    name,
    { status, message: said, replicas: replicas.map((state) => ({ state })) },
  ]);
  return { status, message, deployed_app_config: config, deployments: Object.fromEntries(told) };
}

test('an application serves as long as every part of it has a replica that runs', () => {
  const cases: [string, string, Record<string, { message?: string; replicas: string[] }>][] = [
    ['serving', 'RUNNING', { Model: { replicas: ['RUNNING', 'RUNNING'] } }],
    ['serving', 'DEPLOYING', { Model: { replicas: ['RUNNING', 'STARTING'] } }],
    ['serving', 'UNHEALTHY', { Model: { replicas: ['STOPPING', 'RUNNING'] } }],
    ['loading', 'DEPLOYING', {}],
    ['loading', 'DEPLOYING', { Model: { replicas: ['STARTING'] } }],
    ['loading', 'UNHEALTHY', { Model: { replicas: ['STARTING'] } }],
    [
      'loading',
      'DEPLOYING',
      { 'LLMServer:model': { replicas: ['STARTING'] }, OpenAiIngress: { replicas: ['RUNNING'] } },
    ],
    ['loading', 'DELETING', { Model: { replicas: ['RUNNING'] } }],
    ['failed', 'DEPLOY_FAILED', { Model: { replicas: ['RUNNING'] } }],
  ];
  for (const [state, status, deployments] of cases)
    assert.equal(
      serveState(application(status, deployments), ID).state,
      state,
      `${status} ${JSON.stringify(deployments)}`,
    );
});

test('what is told while it loads says how far it is', () => {
  const waits = 'Deployment has 1 replicas that have taken more than 30s to be scheduled.';
  assert.deepEqual(
    serveState(application('DEPLOYING', { Model: { message: waits, replicas: ['STARTING'] } }), ID),
    {
      state: 'loading',
      detail: `deploying, 0 of 1 replicas are up: ${waits}`,
    },
  );
});

test('an application that is gone, or of another launch, has failed', () => {
  for (const state of [serveState(undefined, ID), serveState(application('RUNNING', {}), 'other')]) {
    assert.ok(state.state === 'failed');
    assert.match(state.detail, /does not know the application any more/);
  }
});

test('a failure tells the line of the traceback that says what happened, and what to do', () => {
  const traceback = (line: string) =>
    `The deployment failed to start 3 times in a row. Error:\n\u001B[36mray::ServeReplica:x()\u001B[39m (pid=1)\n  File "x.py", line 1, in f\n    import x\n${line}\n`;
  const cases: [string, RegExp, boolean][] = [
    ["ModuleNotFoundError: No module named 'vllm'", /Install vLLM/, false],
    ["ModuleNotFoundError: No module named 'ray.serve.llm'", /ray\[llm\]/, false],
    ['torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB.', /Free the GPUs/, true],
    ['ValueError: No available memory for the cache blocks.', /gpuMemoryUtilization/, true],
    [
      'OSError: /weights/coder does not appear to have a file named config.json.',
      /same path on every node/,
      false,
    ],
    ["TypeError: f() got an unexpected keyword argument 'x'", /Mend/, false],
  ];
  for (const [line, remedy, outOfMemory] of cases) {
    const failed = application(
      'DEPLOY_FAILED',
      { Model: { message: traceback(line), replicas: [] } },
      'Failed to update',
    );
    const state = serveState(failed, ID);
    assert.ok(state.state === 'failed');
    assert.equal(state.detail, `Ray Serve could not start it: ${line}`);
    assert.match(state.remedy, remedy);
    assert.equal(state.outOfMemory, outOfMemory, line);
  }
});
