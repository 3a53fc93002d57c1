import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ModelPlan } from '../../../protocol/local-model.ts';
import { testApi, type TestApi } from '../testing.ts';

const TWO = [
  { name: 'RTX A5000', totalMib: 24_564 },
  { name: 'RTX A5000', totalMib: 24_564 },
];
describe('plans of models', () => {
  let api: TestApi;
  const ask = async (body: object) => await api.send('viewer', 'POST', '/api/v1/model-plans', body);
  before(async () => {
    api = await testApi(['models.local.nvidiaSmi=/nowhere/nvidia-smi']);
  });
  after(async () => await api[Symbol.asyncDispose]());

  it('without GPUs it is told which question can be answered', async () => {
    const { status, body } = await ask({ models: ['qwen2.5-coder-14b'] });
    assert.deepEqual([status, body.error.code], [400, 'ERR_INVALID_INPUT']);
    assert.match(body.error.remedy, /--gpus 2x24564/);
  });

  it('GPUs that are named are planned for, and the request changes the model', async () => {
    const { status, body } = await ask({
      models: ['local/qwen2.5-coder-32b'],
      dtype: 'bfloat16',
      sequences: 1,
      gpus: TWO,
    });
    const plan = body as ModelPlan;
    assert.deepEqual(
      [status, plan.together, plan.models[0]?.fits, plan.models[0]?.source],
      [200, false, false, 'catalogue'],
    );
    assert.match(plan.models[0]!.why, /weights in bfloat16.*1 request of 32,768/);
    assert.match(plan.models[0]!.would.join(), /int4/);
  });

  it('what earlier loads took is part of the answer', async () => {
    await api.db.pool.query(
      `insert into engine_instance (launch, model, kind, state, gpus, predicted_mib, measured_mib, ready_at)
       values ($1, 'qwen2.5-coder-14b', 'vllm', 'stopped', '[0]', 20000, 21000, now())`,
      [randomUUID()],
    );
    const { body } = await ask({ models: ['qwen2.5-coder-14b'], gpus: TWO });
    assert.equal(body.models[0].calibration, 1.05);
    assert.match(body.models[0].why, /5 % more than predicted/);
  });

  it('weights that are here count before the catalogue, also when they are broken', async () => {
    const directory = join(api.directory, 'model-weights/qwen2.5-coder-1.5b-instruct');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'config.json'), '{"architectures": ["NewForCausalLM"]}');
    const { body } = await ask({ models: ['qwen2.5-coder-1.5b'], gpus: TWO });
    const [model] = (body as ModelPlan).models;
    assert.deepEqual([model?.fits, model?.need], [false, null]);
    assert.match(model!.why, /qwen2\.5-coder-1\.5b-instruct\/config\.json.*NewForCausalLM/);
  });

  it('a model that is not in the catalogue and a precision that is none are refused', async () => {
    const unknown = await ask({ models: ['gpt-9'], gpus: TWO });
    assert.deepEqual([unknown.status, unknown.body.error.code], [404, 'ERR_MODEL_UNKNOWN']);
    assert.match(unknown.body.error.remedy, /qwen2\.5-coder-32b/);
    const strange = await ask({ models: ['gpt-oss-20b'], dtype: 'int3', gpus: TWO });
    assert.deepEqual([strange.status, strange.body.error.code], [400, 'ERR_INVALID_INPUT']);
  });
});

it('the configuration may name GPUs, catalogue and weights', async () => {
  await using api = await testApi([
    'models.local.gpus=[{"name":"tiny","totalMib":4096}]',
    `models.local.catalogue=${join(import.meta.dirname, '../../../config/models.yaml')}`,
  ]);
  const { body } = await api.send('viewer', 'POST', '/api/v1/model-plans', {
    models: ['qwen3-embedding-0.6b'],
  });
  assert.deepEqual([body.gpus, body.models[0].fits], [[{ index: 0, name: 'tiny', totalMib: 4096 }], true]);
});
