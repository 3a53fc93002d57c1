import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileSecrets } from './file.ts';
import { moveSecrets } from './move.ts';

test('secrets move once, what is there with another value stays in both, and no value is told', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-move-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [from, to] = [fileSecrets(join(directory, 'from')), fileSecrets(join(directory, 'to'))];
  for (const name of ['new', 'same', 'other', 'own']) await from.put(name, `value of ${name}`);
  await to.put('same', 'value of same');
  await to.put('other', 'another value');
  const move = async () => await moveSecrets(from, to, (name) => name !== 'own');
  const moved = await move();
  assert.deepEqual(
    moved.map(({ name, what }) => `${name}: ${what}`),
    ['new: moved', 'other: left: another value is there', 'same: was there already'],
  );
  assert.ok(!JSON.stringify(moved).includes('value of'));
  assert.equal((await to.get('new'))?.value, 'value of new');
  assert.equal((await to.get('other'))?.value, 'another value');
  assert.deepEqual(
    (await from.list()).map(({ name }) => name),
    ['other', 'own'],
  );
  assert.equal((await move()).length, 1);
});
