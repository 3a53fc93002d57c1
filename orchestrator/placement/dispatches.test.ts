// Which tasks want an allocation of their own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { PlacementSettings, runNeeds } from '../config/placement-settings.ts';
import { finishRun } from '../tasks/finish.ts';
import { aProject, aTask, aWorker, claim, POLICY, report } from '../tasks/testing/work.ts';
import { wantedDispatches } from './dispatches.ts';

const needs = runNeeds(PlacementSettings.parse({}));

test('a dispatched worker that has had its run is no room for the next task', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'a', { placement: 'dispatch' });
  await aWorker(db.pool, 'dispatch-1', 1, [], { placement: 'dispatch' });
  await aTask(db.pool, 'a');
  const wanted = async () => (await wantedDispatches(db.pool, needs, 10)).map(({ id }) => id);
  assert.deepEqual(await wanted(), [], 'the worker waits for it');
  const order = await claim(db.pool, 'dispatch-1');
  await finishRun(db.pool, order!.run, report(order!, { outcome: 'no-change' }), POLICY);
  const next = await aTask(db.pool, 'a');
  assert.deepEqual(await wanted(), [next.id]);
});
