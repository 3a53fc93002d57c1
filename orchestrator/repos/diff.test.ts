import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { diff, diffText } from './diff.ts';
import { fetchMirror } from './mirror.ts';
import { workshop } from './testing/workshop.ts';
import type { Workshop } from './testing/workshop.ts';

async function twoCommits(shop: Workshop, change: () => void): Promise<[string, string]> {
  const origin = shop.workingCopy('w', { 'a.txt': 'one\ntwo\n', 'old.txt': 'x\n'.repeat(20) });
  change();
  shop.git('w', 'add', '--all');
  shop.git('w', 'commit', '--quiet', '--message', 'second');
  await fetchMirror(shop.store, { id: 1, origin });
  return [shop.git('w', 'rev-parse', 'HEAD~1'), shop.git('w', 'rev-parse', 'HEAD')];
}

test('patch, statistics and names tell what changed', async () => {
  using shop = workshop();
  const [base, head] = await twoCommits(shop, () => {
    shop.write('w', { 'a.txt': 'one\n2\n', 'ü.txt': 'new\n' });
    shop.git('w', 'mv', 'old.txt', 'new.txt');
  });
  const text = async (format: 'patch' | 'stat' | 'names') =>
    diffText(await diff(shop.store, 1, base, head, { format }));
  assert.match(await text('patch'), /-two\n\+2\n/);
  assert.match(await text('stat'), /3 files changed/);
  assert.deepEqual((await text('names')).trim().split('\n'), [
    'M\ta.txt',
    'R100\told.txt\tnew.txt',
    'A\tü.txt',
  ]);
});

test('names and contents that are not UTF-8 and binary files go through as bytes', async () => {
  using shop = workshop();
  const [base, head] = await twoCommits(shop, () => {
    execFileSync('sh', [
      '-c',
      `cd ${shop.dir}/w && printf 'caf\\351\\n' > "$(printf 'caf\\351')" && printf '\\000\\001' > b.bin && echo x > "$(printf 'tab\\there')"`,
    ]);
  });
  const { bytes } = await diff(shop.store, 1, base, head, { format: 'patch' });
  assert.ok(bytes.includes(Buffer.from('+caf\xe9\n', 'latin1')));
  assert.match(bytes.toString(), /Binary files \/dev\/null and b\/b\.bin differ/);
  const names = await diff(shop.store, 1, base, head, { format: 'names' });
  assert.ok(names.bytes.includes(Buffer.from('A\tcaf\xe9\n', 'latin1')) || names.bytes.includes('caf\\351'));
  assert.ok(names.bytes.includes('"tab\\there"'));
});

test('a large difference is cut off and says so', async () => {
  using shop = workshop();
  const [base, head] = await twoCommits(shop, () => shop.write('w', { 'big.txt': 'line\n'.repeat(100_000) }));
  const cut = await diff(shop.store, 1, base, head, { format: 'patch', maxBytes: 10_000 });
  assert.equal(cut.truncated, true);
  assert.equal(cut.bytes.length, 10_000);
  assert.match(diffText(cut), /\[cut off after 10000 bytes\]/);
});

test('only commit ids are taken', async () => {
  using shop = workshop();
  await assert.rejects(diff(shop.store, 1, '--output=/tmp/x', 'HEAD', { format: 'patch' }), {
    code: 'ERR_INVALID_INPUT',
  });
});

test('a commit that was never pushed is not found', async () => {
  using shop = workshop();
  const [base] = await twoCommits(shop, () => shop.write('w', { 'a.txt': 'one\n' }));
  await assert.rejects(diff(shop.store, 1, base, '0'.repeat(40), { format: 'patch' }), {
    code: 'ERR_NOT_FOUND',
    message: /not in the mirror/,
  });
});
