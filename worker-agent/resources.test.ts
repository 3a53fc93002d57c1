import assert from 'node:assert/strict';
import os from 'node:os';
import { test } from 'node:test';
import { Resources } from '../protocol/placement.ts';
import { machineResources, rounded } from './resources.ts';

test('a machine says what it has, and no more memory and cores than there are', async () => {
  const found = Resources.parse(await machineResources(os.tmpdir()));
  assert.ok(found.memoryMib > 0 && found.memoryMib <= os.totalmem() / 2 ** 20);
  assert.ok(found.cores >= 1 && found.cores <= os.cpus().length);
});

test('disk space is rounded down by a fifth at most, and to the same again', () => {
  for (const mib of [0, 0.5, 1, 1023, 1024, 1100, 130_000]) {
    assert.ok(rounded(mib) <= mib && rounded(mib) >= mib * 0.8 - 1, `${mib} → ${rounded(mib)}`);
  }
  assert.equal(rounded(1024), 1024);
  assert.equal(rounded(1100), 1024);
});
