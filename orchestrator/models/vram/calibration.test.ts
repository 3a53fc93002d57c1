import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { testDatabase } from '../../../test/support/database.ts';
import type { Database } from '../../db/connect.ts';
import { calibrations } from './calibration.ts';

interface Load {
  model: string;
  gpus?: number[];
  predicted?: number | null;
  measured?: number | null;
  ready?: boolean;
}

async function loads(db: Database, all: Load[]): Promise<void> {
  for (const [at, { model, gpus = [0], predicted = 1000, measured = 1000, ready = true }] of all.entries())
    await db.query(
      `insert into engine_instance (launch, model, kind, state, gpus, predicted_mib, measured_mib, began_at, ready_at)
       values ($1, $2, 'vllm', 'stopped', $3, $4, $5, now() + $6 * interval '1 minute', case when $7 then now() end)`,
      [randomUUID(), model, JSON.stringify(gpus), predicted, measured, at, ready],
    );
}

test('the median of the last five loads on as many GPUs is what counts', async () => {
  await using db = await testDatabase();
  const measured = [1290, 1290, 1290, 1010, 1020, 900, 1040, 1030];
  await loads(db.pool, [
    ...measured.map((mib) => ({ model: 'a', measured: mib })),
    { model: 'a', gpus: [0, 1], measured: 950 },
    { model: 'a', gpus: [0, 1], measured: 970 },
    { model: 'b', measured: 2000 },
    { model: 'c', measured: 100 },
  ]);
  const ratio = await calibrations(db.pool);
  assert.deepEqual(
    [ratio('a', 1), ratio('a', 2), ratio('a', 4)],
    [1.02, 0.96, null],
    'the first three are too long ago',
  );
  assert.deepEqual([ratio('b', 1), ratio('c', 1)], [1.3, 0.8], 'what is beyond reason is cut');
});

test('loads that never were ready, or were not measured, tell nothing', async () => {
  await using db = await testDatabase();
  await loads(db.pool, [
    { model: 'a', measured: 1200, ready: false },
    { model: 'a', measured: null },
    { model: 'a', predicted: null },
    { model: 'a', measured: 0 },
  ]);
  assert.equal((await calibrations(db.pool))('a', 1), null);
});
