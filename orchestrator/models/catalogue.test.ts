import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LocalModel } from '../../protocol/local-model.ts';
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

test('a model is outside by the address of its engine, unless the engine says otherwise', () => {
  const far = { ...upstream('far', [{ name: 'a' }]), url: 'https://api.example.com' };
  const ours = { ...upstream('ours', [{ name: 'b' }]), url: 'https://llm.example.com', external: false };
  const list = made({ engines: [gpu, far as Engine, ours as Engine] }).list();
  assert.deepEqual(
    list.filter(({ external }) => external).map(({ name }) => name),
    ['far/a'],
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

const GPU = { pricePerHour: 1, watts: 230, pricePerKwh: 0.3 };
const own = (...models: (Partial<LocalModel> & { name: string })[]) => ({
  models: models.map((model) => LocalModel.parse({ path: model.name, ...model })),
  gpu: GPU,
});

test('models of the appliance are found as local/<name> or by their name, and paid by GPU time', () => {
  const models = made({
    engines: [gpu],
    own: own({ name: 'coder-32b', context: 65_536 }, { name: 'nomic', task: 'embed' }),
  });
  const coder = models.resolve('coder-32b');
  assert.deepEqual([coder.name, coder.kind, coder.priceSource], ['local/coder-32b', 'local', 'gpu']);
  assert.deepEqual(coder.protocols, ['chat', 'completions', 'messages', 'responses']);
  assert.deepEqual(coder.serves, {
    kind: 'local',
    model: 'coder-32b',
    spoken: ['chat', 'completions', 'messages'],
    context: 65_536,
    gpu: GPU,
  });
  assert.deepEqual(models.resolve('local/nomic').protocols, ['embeddings']);
  const unpriced = made({ own: { ...own({ name: 'coder-32b' }), gpu: { watts: 230, pricePerKwh: 0.3 } } });
  assert.equal(unpriced.resolve('local/coder-32b').priceSource, 'ceiling', 'no price is not zero');
  assert.throws(() => models.resolve('local/none'), { code: 'ERR_MODEL_UNKNOWN', remedy: /model list/ });
});

test('what stands in for a model follows it when it is asked for by name, each once', () => {
  const models = made({
    engines: [gpu],
    default: 'local/a',
    own: own(
      { name: 'a', fallback: ['b', 'gpu/small'] },
      { name: 'b', fallback: ['local/c'], roles: ['coder'] },
      { name: 'c', fallback: ['gpu/small'] },
    ),
  });
  const names = (name: string) => models.ladder(name).map((model) => model.name);
  for (const name of ['a', 'local/a', ''])
    assert.deepEqual(names(name), ['local/a', 'local/b', 'gpu/small', 'local/c']);
  assert.deepEqual(names('autocode/coder'), ['local/b'], 'a role has its own ladder');
  assert.throws(() => made({ own: own({ name: 'a', fallback: ['gpu/gone'] }) }), {
    code: 'ERR_CONFIG',
    message: /stands in for local\/a.*gpu\/gone/,
    remedy: /catalogue of models/,
  });
  for (const wrong of [{ default: 'local/none' }, { roles: { small: ['gpu/small', 'local/none'] } }])
    assert.throws(() => made({ engines: [gpu], own: own({ name: 'a' }), ...wrong }), {
      code: 'ERR_CONFIG',
      message: /models\.(default|roles).*local\/none/,
    });
});

test('the roles are those that people set, else those of the configuration, else those of the catalogue', () => {
  let set = {};
  const models = made({
    engines: [gpu],
    roles: { small: ['gpu/small'], coder: ['gpu/large'] },
    setRoles: () => set,
    own: own({ name: 'a', roles: ['coder', 'reasoner'] }, { name: 'b', roles: ['reasoner'] }),
  });
  const sources = () =>
    models.roles().map(({ role, models: names, source }) => [role, names.join(' '), source]);
  assert.deepEqual(sources(), [
    ['coder', 'gpu/large', 'configuration'],
    ['reasoner', 'local/a local/b', 'catalogue'],
    ['small', 'gpu/small', 'configuration'],
    ['embedding', '', 'catalogue'],
  ]);
  set = { coder: ['local/a', 'gpu/gone'], small: ['gpu/gone'] };
  assert.deepEqual(sources()[0], ['coder', 'local/a gpu/gone', 'set']);
  assert.equal(models.resolve('autocode/coder').name, 'local/a');
  assert.deepEqual(
    models.ladder('autocode/coder').length,
    1,
    'a model that is no longer there is passed over',
  );
  assert.throws(() => models.ladder('autocode/small'), { code: 'ERR_MODEL_UNKNOWN', message: /gpu\/gone/ });
  assert.throws(() => models.ladder('autocode/embedding'), { remedy: /autocode\/coder.*model role/ });
  assert.deepEqual(models.list().find(({ name }) => name === 'local/a')?.roles, ['coder', 'reasoner']);
});

function recordings(...names: string[]) {
  const path = mkdtempSync(join(tmpdir(), 'catalogue-'));
  for (const name of names) writeFileSync(join(path, `${name}.jsonl`), '');
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
