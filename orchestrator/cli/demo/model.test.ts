import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { loadConfig } from '../../config/load.ts';
import { fileSecrets } from '../../secrets/file.ts';
import { configureModel, withEngine } from './model.ts';

function dataDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-demo-model-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

const engine = {
  kind: 'upstream',
  name: 'default',
  url: 'http://127.0.0.1:1',
  protocols: ['chat'],
  models: [{ name: 'm' }],
};

test('the engine is added to what is written, comments and other engines stay', () => {
  const before = `# ours\napi:\n  port: 7000 # fixed\nmodels:\n  # the big one\n  engines:\n    - kind: upstream # gpu\n      name: big\n      url: http://gpu:8000\n      models: [{ name: x }]\n`;
  const once = withEngine(before, engine);
  for (const kept of ['# ours', 'port: 7000 # fixed', '# the big one', 'name: big', '# gpu'])
    assert.ok(once.includes(kept), kept);
  assert.match(once, /default: default\/m/);
  assert.equal(withEngine(once, engine), once);
  const changed = withEngine(once, { ...engine, models: [{ name: 'n' }] });
  assert.equal(changed.match(/name: default/g)?.length, 1);
  assert.match(changed, /default: default\/n/);
});

test('the model is in the configuration, its key in the secret store alone, and the same again changes nothing', async (t) => {
  const dataDir = dataDirectory(t);
  writeFileSync(join(dataDir, 'key'), 'sk-secret\n');
  const args = {
    config: undefined,
    set: [`dataDir=${dataDir}`],
    modelUrl: 'http://127.0.0.1:8000/v1/',
    model: 'qwen3/coder:30b',
    modelProtocols: 'chat, messages',
    apiKey: undefined,
    apiKeyFile: join(dataDir, 'key'),
  };
  assert.deepEqual(await configureModel(args), {
    name: 'default/qwen3/coder:30b',
    recorded: false,
    changed: true,
  });
  const { config } = loadConfig({ set: args.set });
  assert.equal(config.models.default, 'default/qwen3/coder:30b');
  assert.deepEqual(config.models.engines[0], {
    kind: 'upstream',
    name: 'default',
    url: 'http://127.0.0.1:8000',
    protocols: ['chat', 'messages'],
    apiKeySecret: 'engine-default',
    queue: 200,
    queueSeconds: 120,
    models: [{ name: 'qwen3/coder:30b' }],
  });
  assert.ok(!readFileSync(join(dataDir, 'config/autocode.yaml'), 'utf8').includes('sk-secret'));
  assert.equal((await fileSecrets(join(dataDir, 'secrets')).get('engine-default'))?.value, 'sk-secret');
  assert.equal((await configureModel(args)).changed, false);
  assert.equal((await fileSecrets(join(dataDir, 'secrets')).get('engine-default'))?.version, 1);
});

test('a model that does not fit leaves the configuration as it was', async (t) => {
  const dataDir = dataDirectory(t);
  const file = join(dataDir, 'config/autocode.yaml');
  mkdirSync(join(dataDir, 'config'));
  writeFileSync(file, 'log:\n  level: warn\n');
  const args = {
    config: undefined,
    set: [`dataDir=${dataDir}`],
    modelUrl: 'http://x',
    model: 'm'.repeat(101),
    modelProtocols: 'chat',
    apiKey: undefined,
    apiKeyFile: undefined,
  };
  await assert.rejects(configureModel(args), { code: 'ERR_CONFIG' });
  assert.equal(readFileSync(file, 'utf8'), 'log:\n  level: warn\n');
  await assert.rejects(configureModel({ ...args, model: 'm', modelUrl: 'gpu:8000' }), {
    code: 'ERR_INVALID_INPUT',
  });
  await assert.rejects(configureModel({ ...args, model: 'm', modelProtocols: 'chat,telnet' }), {
    code: 'ERR_INVALID_INPUT',
  });
});
