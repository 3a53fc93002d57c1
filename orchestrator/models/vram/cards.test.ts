import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../../test/support/database.ts';
import type { Gpu } from '../../../protocol/local-model.ts';
import { keepGpus } from '../gpu/store.ts';
import { standInSmi } from '../gpu/testing/stand-in-smi.ts';
import { cardsToPlan } from './cards.ts';

const gpu = (index: number, changes: Partial<Gpu> = {}): Gpu & { warnings: string[] } => ({
  index,
  name: 'RTX A5000',
  uuid: null,
  totalMib: 24_564,
  usedMib: 20_000,
  foreignMib: 0,
  utilisation: 0,
  temperature: 40,
  watts: 20,
  eccErrors: 0,
  xid: null,
  state: 'ok',
  detail: '',
  warnings: [],
  ...changes,
});
const brief = (cards: Awaited<ReturnType<typeof cardsToPlan>>) =>
  cards.map(({ index, totalMib, foreignMib }) => [index, totalMib, foreignMib]);

test('GPUs that are watched count with what strangers have taken, and a lost one not at all', async () => {
  await using db = await testDatabase();
  const parts = { db: db.pool, local: {}, nvidiaSmi: '/nowhere/nvidia-smi' };
  await assert.rejects(cardsToPlan(parts, undefined), /No GPU is known on this machine: Nobody has looked/);
  const local = { gpus: [{ name: 'tiny', totalMib: 4096 }] };
  assert.deepEqual(brief(await cardsToPlan({ ...parts, local }, undefined)), [[0, 4096, 0]]);
  await keepGpus(db.pool, [gpu(0, { foreignMib: 6000 }), gpu(1), gpu(2, { state: 'lost' })], null);
  assert.deepEqual(brief(await cardsToPlan({ ...parts, local }, undefined)), [
    [0, 24_564, 6000],
    [1, 24_564, 0],
  ]);
  const asked = [{ name: 'GPU', totalMib: 9000 }];
  assert.deepEqual(brief(await cardsToPlan(parts, asked)), [[0, 9000, 0]], 'those of the question go first');
});

test('where nobody watches, nvidia-smi is asked once, and all that is taken is taken by others', async () => {
  await using db = await testDatabase();
  using smi = standInSmi({ gpus: 'serving.txt' });
  const parts = { db: db.pool, local: undefined, nvidiaSmi: smi.program };
  const cards = await cardsToPlan(parts, undefined);
  assert.equal(cards.length, 2);
  assert.ok(cards.every(({ totalMib, foreignMib }) => totalMib === 24_564 && foreignMib > 0));
  smi.play({ absent: true });
  await assert.rejects(cardsToPlan(parts, undefined), /No GPU is known on this machine\./);
});
