import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { workshop, type Workshop } from '../testing/workshop.ts';
import { readProjectFile } from './read.ts';

const read = async (shop: Workshop, folder: string) =>
  await readProjectFile(shop.store.git, join(shop.dir, folder, '.git'), 'main');

test('the file is read from the commit, whatever lies in the work tree', async () => {
  using shop = workshop();
  shop.workingCopy('w', { '.autocode.yaml': 'draft: true\n' });
  shop.write('w', { '.autocode.yaml': 'draft: false\n' });
  assert.deepEqual(await read(shop, 'w'), { commit: 'main', content: { draft: true }, problems: [] });
  shop.workingCopy('none');
  assert.deepEqual(await read(shop, 'none'), { commit: 'main', content: null, problems: [] });
});

test('a link, a folder and a huge file are refused without being followed or read', async () => {
  using shop = workshop();
  shop.workingCopy('link');
  symlinkSync('/etc/passwd', join(shop.dir, 'link/.autocode.yaml'));
  shop.git('link', 'add', '--all');
  shop.git('link', 'commit', '--quiet', '--message', 'link');
  shop.workingCopy('folder', { '.autocode.yaml/a': 'x' });
  shop.workingCopy('huge', { '.autocode.yaml': `instructions: ${'x'.repeat(1 << 20)}\n` });
  for (const [folder, reason] of [
    ['link', /symbolic link/],
    ['folder', /folder/],
    ['huge', /at most/],
  ] as const) {
    const { content, problems } = await read(shop, folder);
    assert.equal(content, null);
    assert.match(problems[0]!.message, reason);
  }
});
