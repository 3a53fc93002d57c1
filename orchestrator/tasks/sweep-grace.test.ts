import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Queryable } from '../db/connect.ts';
import { SweepGrace } from './sweep-grace.ts';

/** A database that says what its clock shows. */
const clockAt = (ms: number) =>
  ({ query: async () => ({ rows: [{ clock: new Date(ms) }] }) }) as unknown as Queryable;

test('leases are spared for the grace after a start', async () => {
  const grace = new SweepGrace(30);
  grace.begin(1000);
  assert.equal(await grace.isOver(clockAt(0), 1000), false);
  assert.equal(await grace.isOver(clockAt(29_000), 30_000), false);
  assert.equal(await grace.isOver(clockAt(30_000), 31_000), true);
});

for (const [way, jump] of [
  ['forth', 3_600_000],
  ['back', -3_600_000],
] as const) {
  test(`leases are spared for the grace after the clock has jumped ${way}`, async () => {
    const grace = new SweepGrace(30);
    assert.equal(await grace.isOver(clockAt(10_000_000), 0), true);
    assert.equal(await grace.isOver(clockAt(10_002_500), 2000), true, 'it may drift');
    assert.equal(await grace.isOver(clockAt(10_004_000 + jump), 4000), false);
    assert.equal(await grace.isOver(clockAt(10_033_000 + jump), 33_000), false);
    assert.equal(await grace.isOver(clockAt(10_034_000 + jump), 34_000), true);
  });
}
