import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan } from '../models/vram/plan.ts';
import { cardsOf, shipped, shippedModel } from '../models/vram/testing/models.ts';
import { gpusOf } from './model-plan.ts';
import { fakeApi, runCli } from './testing/run-cli.ts';

const daemon = async (...names: string[]) =>
  await fakeApi({
    'POST /model-plans': {
      body: plan(
        names.map((name) => shippedModel(name)),
        shipped,
        cardsOf(2),
      ),
    },
  });
const run = async (url: string, ...words: string[]) =>
  await runCli(['model', 'plan', ...words], { env: { AUTOCODE_URL: url, AUTOCODE_TOKEN: 'x' } });

test('a plan that works out is a table and sentences, and the options are what is asked', async () => {
  await using api = await daemon('qwen2.5-coder-32b', 'qwen3-embedding-0.6b');
  const options = ['--context', '32768', '--dtype', 'int4', '--tensor-parallel', '2', '--gpus', '2x24564'];
  const { code, stdout } = await run(api.url, 'qwen2.5-coder-32b', 'qwen3-embedding-0.6b', ...options);
  assert.equal(code, 0);
  assert.match(stdout, /^GPU 0 RTX A5000, 24\.0 GiB · GPU 1 RTX A5000, 24\.0 GiB\n/);
  assert.match(stdout, /qwen2\.5-coder-32b +yes +0, 1 +9\.2 GiB +8\.0 GiB +1\.5 GiB +18\.7 GiB +79,616 /);
  assert.match(stdout, /qwen2\.5-coder-32b: It takes 20\.4 GiB of each of GPU 0, 1/);
  assert.match(stdout, /Beside it fit: qwen3-embedding-0\.6b\./);
  assert.match(stdout, /Both fit at the same time\.\n$/);
  assert.deepEqual(api.requests[0]?.body, {
    models: ['qwen2.5-coder-32b', 'qwen3-embedding-0.6b'],
    context: 32_768,
    dtype: 'int4',
    tensorParallel: 2,
    gpus: [
      { name: 'GPU', totalMib: 24_564 },
      { name: 'GPU', totalMib: 24_564 },
    ],
  });
});

test('models that do not fit at the same time end with exit code 1, with --json too', async () => {
  await using api = await daemon('qwen2.5-coder-32b', 'qwen2.5-coder-14b');
  const shown = await run(api.url, 'qwen2.5-coder-32b', 'qwen2.5-coder-14b');
  assert.equal(shown.code, 1);
  assert.match(shown.stdout, /Each fits by itself, but not both at the same time\./);
  const json = await run(api.url, 'qwen2.5-coder-32b', 'qwen2.5-coder-14b', '--json');
  assert.equal(json.code, 1);
  assert.equal(JSON.parse(json.stdout).together, false);
});

test('GPUs are written by their memory and how many there are', () => {
  assert.deepEqual(
    gpusOf('2x24564, 49140').map(({ totalMib }) => totalMib),
    [24_564, 24_564, 49_140],
  );
  for (const wrong of ['', 'a5000', '24', '2x', '2x24564x2', 'x24564'])
    assert.throws(() => gpusOf(wrong), /tells of no GPU/, wrong);
});
