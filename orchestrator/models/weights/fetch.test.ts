import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fetchBundle } from './fetch.ts';
import { openHub } from './hub.ts';
import { importWeights } from './import.ts';
import { startFakeHub } from './testing/fake-hub.ts';
import { modelFiles } from './testing/tiny-model.ts';

const scratch = mkdtempSync(join(tmpdir(), 'autocode-fetch-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const SHARD = 'model-00001-of-00002.safetensors';
const tokenFile = join(scratch, 'token');
writeFileSync(tokenFile, 'let-me-in\n');

async function opened(options: { repository?: string; token?: boolean } = {}) {
  const { repository = 'Org/Open', token = false } = options;
  const far = await startFakeHub({
    ...modelFiles(),
    'README.md': Buffer.from('A model.'),
    'pytorch_model.bin': Buffer.alloc(5000),
    'onnx/model.onnx': Buffer.alloc(5000),
  });
  const hub = await openHub({ hub: far.url, ...(token ? { tokenFile } : {}) });
  const to = mkdtempSync(join(scratch, 'bundle-'));
  const fetch = async () => {
    const model = await hub.model(repository, 'main');
    let told: number[] = [];
    const manifest = await fetchBundle({ hub, model, to, progress: (done, total) => (told = [done, total]) });
    return { manifest, told };
  };
  return { far, to, fetch, [Symbol.dispose]: () => far.close() };
}

test('what an engine needs is fetched, with its sums, and can be imported', async () => {
  using place = await opened();
  const { manifest, told } = await place.fetch();
  assert.deepEqual(
    manifest.files.map(({ path }) => path),
    ['README.md', ...Object.keys(modelFiles())].toSorted(),
    'and nothing in other formats',
  );
  assert.equal(told[0], told[1]);
  const root = join(scratch, 'weights');
  const imported = await importWeights({ from: place.to, root });
  assert.deepEqual([imported.path, imported.fresh], ['Open', true]);
  const before = place.far.reads.length;
  await place.fetch();
  assert.equal(place.far.reads.length, before, 'the same again fetches nothing');
});

test('a download that breaks off goes on where it stopped', async () => {
  using place = await opened();
  place.far.cut.set(SHARD, 70_000);
  const { told } = await place.fetch();
  assert.equal(told[0], told[1]);
  const ranges = place.far.reads.filter(({ path }) => path === SHARD).map(({ range }) => range);
  assert.equal(ranges[0], undefined);
  assert.match(ranges[1] ?? '', /^bytes=[1-9]\d*-$/);
});

test('a file that is not what the hub says is refused, and fetched anew the next time', async () => {
  using place = await opened();
  place.far.instead.set(SHARD, Buffer.alloc(modelFiles()[SHARD]!.length, 1));
  await assert.rejects(place.fetch(), {
    code: 'ERR_WEIGHTS',
    message: new RegExp(`${SHARD} did not come as`),
  });
  assert.ok(!existsSync(join(place.to, SHARD)));
  assert.ok(!existsSync(join(place.to, 'autocode-weights.json')));
  place.far.instead.clear();
  await place.fetch();
});

test('a small file is compared by the hash that git has of it', async () => {
  using place = await opened();
  place.far.instead.set('tokenizer.json', Buffer.from('{"version":"6.6"}'));
  await assert.rejects(place.fetch(), { code: 'ERR_WEIGHTS', message: /tokenizer\.json did not come as/ });
});

test('a model that is not open needs a token, which goes to the hub alone', async () => {
  using shut = await opened({ repository: 'Org/Gated' });
  await assert.rejects(shut.fetch(), { code: 'ERR_FORBIDDEN', remedy: /--hub-token-file/ });
  using place = await opened({ repository: 'Org/Gated', token: true });
  await place.fetch();
  const tokens = (host: string) =>
    new Set(place.far.reads.flatMap((read) => (read.host === host ? [read.authorization] : [])));
  assert.deepEqual(tokens('hub'), new Set(['Bearer let-me-in']));
  assert.deepEqual(tokens('store'), new Set([undefined]));
});

test('a model that is not there, and a hub that is away, are told; what had come is kept', async () => {
  using unknown = await opened({ repository: 'Org/None' });
  await assert.rejects(unknown.fetch(), { code: 'ERR_NOT_FOUND', message: /has no Org\/None@main/ });
  using place = await opened();
  const hub = await openHub({ hub: place.far.url });
  const model = await hub.model('Org/Open', 'main');
  place.far.close();
  await assert.rejects(fetchBundle({ hub, model, to: place.to }), {
    code: 'ERR_HUB_UNAVAILABLE',
    remedy: /goes on/,
  });
  assert.deepEqual(
    readdirSync(place.to).filter((name) => !name.endsWith('.part')),
    [],
  );
});
