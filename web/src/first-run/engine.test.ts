import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Config } from '../../../orchestrator/config/schema.ts';
import type { Settings } from '../../../protocol/settings.ts';
import { engineName, engineOf, NO_ENGINE, patchFor } from './engine.ts';

const TYPED = {
  ...NO_ENGINE,
  name: 'gpu',
  url: 'http://10.0.0.5:8000/v1/',
  models: 'Qwen/Qwen3-Coder, small',
  key: ' secret ',
  priceIn: '1.5',
  priceOut: '6',
};

test('an engine is written as the configuration takes it, its key by the name of a secret alone', () => {
  const engine = engineOf(TYPED);
  const price = { input: 1.5, cached: 1.5, output: 6 };
  assert.deepEqual(engine, {
    kind: 'upstream',
    name: 'gpu',
    url: 'http://10.0.0.5:8000',
    protocols: ['chat'],
    apiKeySecret: 'engine-gpu',
    models: [
      { name: 'Qwen3-Coder', upstreamModel: 'Qwen/Qwen3-Coder', price },
      { name: 'small', price },
    ],
  });
  const config = Config.parse({ models: { engines: [engine], default: 'gpu/Qwen3-Coder' } });
  assert.equal(config.models.engines[0]!.name, 'gpu');
  assert.doesNotMatch(JSON.stringify(engine), /secret /);
});

test('an engine comes in place of one of its name, beside what else waits for the next start', () => {
  const key = (path: string, value: unknown, next?: unknown) => ({
    path,
    value,
    pending: next === undefined ? null : { value: next },
  });
  const keys = [key('models.engines', [], [{ name: 'other' }, { name: 'gpu' }]), key('models.default', null)];
  const settings = { version: 'v', keys } as unknown as Settings;
  const { set, version } = patchFor(settings, engineOf(TYPED), false);
  assert.equal(version, 'v');
  assert.deepEqual(Object.keys(set), ['models.engines']);
  assert.deepEqual(
    (set['models.engines'] as { name: string }[]).map(({ name }) => name),
    ['other', 'gpu'],
  );
  assert.equal(patchFor(settings, engineOf(TYPED), true).set['models.default'], 'gpu/Qwen3-Coder');
});

test('a name is proposed by the address', () => {
  assert.equal(engineName('https://api.example.com/v1'), 'api.example.com');
  assert.equal(engineName('http://10.0.0.5:8000'), '10.0.0.5-8000');
  assert.equal(engineName('no address'), '');
});
