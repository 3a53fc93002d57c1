import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../../config/load.ts';
import { ENGINE_PROGRAM, localModelsRig } from '../../models/supervisor/testing/local-models.ts';
import { checkGpus } from './gpus.ts';
import { checkModels } from './parts.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'autocode-doctor-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const rig = localModelsRig(directory, [{ name: 'coder' }]);
const catalogue = path.join(directory, 'models.yaml');
writeFileSync(catalogue, rig.catalogue);

const configured = (...settings: string[]) =>
  loadConfig({
    set: [
      `dataDir=${directory}`,
      `models.local.catalogue=${catalogue}`,
      `models.local.weights=${rig.weights}`,
      `models.local.vllm=${ENGINE_PROGRAM}`,
      ...settings,
    ],
  });

test('models on the own GPUs are models: those whose weights are here are named', async () => {
  assert.deepEqual(await checkModels.run(configured()), { state: 'ok', detail: 'local/coder' });
});

test('what keeps them from being loaded is told with what to do', async () => {
  const { detail, remedy } = await checkModels.run(configured('models.local.weights=/nonexistent'));
  assert.match(`${detail}: ${remedy}`, /weights in \/nonexistent: .*model import PATH/);
  await assert.rejects(
    async () => await checkModels.run(configured('models.local.vllm=/nonexistent/vllm')),
    /\/nonexistent\/vllm/,
  );
  truncateSync(path.join(rig.weights, 'coder/model-00001-of-00002.safetensors'), 5_000);
  const broken = await checkModels.run(configured());
  assert.match(
    `${broken.state} ${broken.detail} ${broken.remedy}`,
    /^warn local\/coder: .*model verify coder/,
  );
});

test('GPUs are those that are declared, or what the driver tells; none with models.local is told with what to do', async () => {
  const cards = JSON.stringify([{ name: 'Card', totalMib: 24_564 }]);
  const { detail } = await checkGpus.run(configured(`models.local.gpus=${cards}`));
  assert.equal(detail, 'Card 24 GB, as models.local.gpus declares');
  const { state, remedy } = await checkGpus.run(configured('models.local.nvidiaSmi=/nonexistent/nvidia-smi'));
  assert.match(`${state} ${remedy}`, /^warn .*models\.local\.nvidiaSmi/);
});
