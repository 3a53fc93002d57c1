import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Engine } from '../config/model-settings.ts';
import { catalogue } from './catalogue.ts';
import type { CatalogueOptions } from './catalogue.ts';

const ceilingPrice = { input: 15, cached: 1.5, output: 75 };
const price = { input: 1, cached: 0.1, output: 2 };
const upstream = (name: string, models: Engine['models']): Engine => ({
  kind: 'upstream',
  name,
  url: 'http://127.0.0.1:1',
  protocols: ['chat'],
  queue: 1,
  queueSeconds: 1,
  models,
});
const made = (options: Partial<CatalogueOptions>) =>
  catalogue({ engines: [], ceilingPrice, recordingDirectories: [], ...options });

const gpu = upstream('gpu', [{ name: 'small', upstreamModel: 'vendor/Small-1', price }, { name: 'large' }]);

test('a model is found by engine and name, by its name alone, and as the default', () => {
  const models = made({ engines: [gpu], default: 'gpu/large' });
  assert.equal(models.resolve('gpu/small').name, 'gpu/small');
  assert.equal(models.resolve('small').name, 'gpu/small');
  for (const name of ['', 'default']) assert.equal(models.resolve(name).name, 'gpu/large');
  const { serves } = models.resolve('small');
  assert.equal(serves.kind === 'upstream' && serves.model, 'vendor/Small-1');
  assert.deepEqual(
    models.list().map(({ name, isDefault }) => [name, isDefault]),
    [
      ['gpu/small', false],
      ['gpu/large', true],
    ],
  );
});

test('a model without a price costs the ceiling price, a recording nothing', () => {
  using directory = recordings('demo');
  const models = made({ engines: [gpu], recordingDirectories: [directory.path] });
  assert.deepEqual(models.resolve('small').price, price);
  assert.equal(models.resolve('large').priceSource, 'ceiling');
  assert.deepEqual(models.resolve('large').price, ceilingPrice);
  assert.equal(models.resolve('replay/demo').priceSource, 'recording');
  assert.deepEqual(models.resolve('demo').price, { input: 0, cached: 0, output: 0 });
});

test('a name that two engines have must be asked for in full', () => {
  const models = made({ engines: [gpu, upstream('cloud', [{ name: 'small' }])] });
  assert.throws(() => models.resolve('small'), {
    code: 'ERR_MODEL_UNKNOWN',
    remedy: /gpu\/small, cloud\/small/,
  });
});

test('an unknown model is refused with the known ones', () => {
  assert.throws(() => made({ engines: [gpu] }).resolve('huge'), {
    code: 'ERR_MODEL_UNKNOWN',
    message: /"huge".*gpu\/small, gpu\/large/,
  });
});

test('without a configured model the default is refused, recordings or not', () => {
  using directory = recordings('demo');
  const models = made({ recordingDirectories: [directory.path, '/does/not/exist'] });
  assert.throws(() => models.resolve(''), {
    code: 'ERR_NO_MODEL',
    remedy: /models\.engines.*autocode demo --model-url/,
  });
  assert.equal(
    models.list().some((model) => model.isDefault),
    false,
  );
});

test('one configured model is the default by itself, of several none is', () => {
  assert.equal(made({ engines: [upstream('gpu', [{ name: 'only' }])] }).resolve('').name, 'gpu/only');
  assert.throws(() => made({ engines: [gpu] }).resolve(''), {
    code: 'ERR_NO_MODEL',
    remedy: /models\.default/,
  });
});

test('a new recording is there at once, and the first directory wins', () => {
  using mine = recordings('demo');
  using theirs = recordings('demo', 'other');
  const models = made({ recordingDirectories: [mine.path, theirs.path] });
  const { serves } = models.resolve('replay/demo');
  assert.equal(serves.kind === 'replay' && serves.recording, join(mine.path, 'demo.jsonl'));
  writeFileSync(join(mine.path, 'third.jsonl'), '');
  assert.deepEqual(
    models.list().map(({ name }) => name),
    ['replay/demo', 'replay/third', 'replay/other'],
  );
});

test('a configured replay engine offers its recording under its own name', () => {
  const models = made({
    engines: [
      { kind: 'replay', name: 'canned', recording: '/r/nightly.jsonl', protocols: ['chat'], models: [] },
    ],
  });
  assert.deepEqual(models.resolve('canned/nightly').serves, {
    kind: 'replay',
    recording: '/r/nightly.jsonl',
  });
});

function recordings(...names: string[]) {
  const path = mkdtempSync(join(tmpdir(), 'catalogue-'));
  for (const name of names) writeFileSync(join(path, `${name}.jsonl`), '');
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
