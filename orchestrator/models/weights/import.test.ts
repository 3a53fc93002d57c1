import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { importWeights } from './import.ts';
import { listWeights, removeWeights, verifyWeights } from './kept.ts';
import { readManifest } from './manifest.ts';
import { weightsState } from './state.ts';
import { modelFiles, safetensors, writeFiles } from './testing/tiny-model.ts';

const scratch = mkdtempSync(join(tmpdir(), 'autocode-weights-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let count = 0;
const place = () => {
  const directory = join(scratch, String(count++));
  return { from: join(directory, 'Tiny'), root: join(directory, 'model-weights') };
};
const half = (root: string) => readdirSync(root).filter((name) => name.startsWith('.'));

test('a model is brought in whole, with its sums; again is no harm', async () => {
  const { from, root } = place();
  writeFiles(from, modelFiles());
  let told: number[] = [];
  const imported = await importWeights({ from, root, progress: (done, total) => (told = [done, total]) });
  assert.deepEqual([imported.path, imported.files, imported.fresh], ['Tiny', 5, true]);
  assert.deepEqual(told, [imported.bytes, imported.bytes]);
  assert.deepEqual(
    readdirSync(join(root, 'Tiny')).toSorted(),
    [...Object.keys(modelFiles()), 'autocode-weights.json'].toSorted(),
  );
  assert.equal((await importWeights({ from, root })).fresh, false);
  assert.deepEqual(await listWeights(root), ['Tiny']);
  assert.deepEqual(await weightsState(join(root, 'Tiny')), { state: 'here', problem: null });
  assert.equal((await verifyWeights(join(root, 'Tiny'))).sums, true);
  await removeWeights(root, 'Tiny');
  assert.deepEqual(readdirSync(root), []);
  assert.equal((await weightsState(join(root, 'Tiny'))).state, 'missing');
});

const [FIRST, SECOND] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
const refused: [what: string, change: (from: string) => void, message: RegExp][] = [
  ['no configuration', (from) => rmSync(join(from, 'config.json')), /no config\.json/],
  ['no tokenizer', (from) => rmSync(join(from, 'tokenizer.json')), /no tokenizer/],
  [
    'a file of its index missing',
    (from) => rmSync(join(from, SECOND)),
    new RegExp(`lacks ${SECOND}, 1 of 2`),
  ],
  [
    'a truncated file',
    (from) => truncateSync(join(from, FIRST), 150_000),
    new RegExp(`${FIRST} has 150000 bytes of 200\\d+: it was cut off`),
  ],
  ['a file cut off in its header', (from) => truncateSync(join(from, FIRST), 20), /ends within its header/],
  [
    'a file that is something else',
    (from) => writeFileSync(join(from, FIRST), 'version https://git-lfs.github.com/spec/v1'),
    /only a Git LFS pointer/,
  ],
  [
    'a tensor in the wrong file',
    (from) => writeFileSync(join(from, SECOND), safetensors({ other: 5 })),
    /lacks the tensor lm_head\.weight/,
  ],
  [
    'a sum that differs',
    (from) => writeFileSync(join(from, 'SHA256SUMS'), `${'0'.repeat(64)}  ${SECOND}\n`),
    /SHA-256 is .* on record/,
  ],
  [
    'a link to nowhere',
    (from) => symlinkSync('/nowhere', join(from, 'merges.txt')),
    /merges\.txt cannot be read \(ENOENT\)/,
  ],
];
for (const [what, change, message] of refused) {
  test(`${what} is refused, and nothing is left`, async () => {
    const { from, root } = place();
    writeFiles(from, modelFiles());
    change(from);
    await assert.rejects(importWeights({ from, root }), { code: 'ERR_WEIGHTS', message });
    assert.deepEqual(readdirSync(root), []);
  });
}

test('another model under the same name is refused', async () => {
  const { from, root } = place();
  writeFiles(from, modelFiles());
  await importWeights({ from, root });
  writeFileSync(join(from, 'tokenizer.json'), '{"version":"2.0"}');
  await assert.rejects(importWeights({ from, root }), {
    code: 'ERR_CONFLICT',
    message: /tokenizer\.json differs/,
  });
  await assert.rejects(importWeights({ from, root, path: '../out' }), { code: 'ERR_INVALID_INPUT' });
  assert.equal((await importWeights({ from, root, path: 'Other/Tiny' })).fresh, true);
  assert.deepEqual(await listWeights(root), ['Other/Tiny', 'Tiny']);
});

test("a hub's cache, made of links, is copied as files; an archive is unpacked, one with links refused", async () => {
  const { from, root } = place();
  const blobs = writeFiles(`${from}-blobs`, modelFiles());
  writeFiles(from, {});
  for (const name of Object.keys(modelFiles())) symlinkSync(join(blobs, name), join(from, name));
  await importWeights({ from, root, path: 'cached' });
  const archive = `${blobs}.tar`;
  execFileSync('tar', ['-cf', archive, '-C', blobs, '.']);
  const imported = await importWeights({ from: archive, root, path: 'unpacked' });
  assert.deepEqual(
    [imported.fresh, (await importWeights({ from: archive, root, path: 'unpacked' })).fresh],
    [true, false],
  );
  assert.deepEqual(
    (await readManifest(join(root, 'unpacked')))?.files,
    (await readManifest(join(root, 'cached')))?.files,
  );
  execFileSync('tar', ['-cf', archive, '-C', from, '.']);
  await assert.rejects(importWeights({ from: archive, root, path: 'linked' }), {
    code: 'ERR_WEIGHTS',
    message: /link/,
  });
  assert.deepEqual(half(root), []);
});

test('an import that is killed leaves nothing that counts; the next one clears up', async () => {
  const { from, root } = place();
  writeFiles(from, { ...modelFiles(), 'large.txt': Buffer.alloc(64 * 2 ** 20) });
  const program = `import { importWeights } from ${JSON.stringify(join(import.meta.dirname, 'import.ts'))};
    await importWeights({ from: process.argv[1], root: process.argv[2], progress: (done) => process.stdout.write(done + '\\n') });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, from, root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  assert.equal(existsSync(join(root, 'Tiny')), false);
  assert.equal(half(root).length, 1);
  assert.equal((await importWeights({ from, root })).fresh, true);
  assert.deepEqual(half(root), []);
});

test('what has changed since is found', async () => {
  const { from, root } = place();
  writeFiles(from, modelFiles());
  await importWeights({ from, root });
  const file = join(root, 'Tiny', FIRST);
  const content = readFileSync(file);
  content[content.length - 1] = 8;
  writeFileSync(file, content);
  assert.equal((await weightsState(join(root, 'Tiny'))).state, 'here');
  await assert.rejects(verifyWeights(join(root, 'Tiny')), { code: 'ERR_WEIGHTS', message: /has changed/ });
  truncateSync(file, 10);
  assert.deepEqual((await weightsState(join(root, 'Tiny'))).state, 'broken');
});
