import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pauseSource } from '../intake/sources.ts';
import { intakeRig } from '../intake/testing.ts';
import { intakeHealth } from './intake-status.ts';

test('sources are counted, and the trouble of those that are not paused is told', async () => {
  await using rig = await intakeRig();
  const { db } = rig.deps;
  assert.deepEqual(await intakeHealth(db), []);
  for (const name of ['one', 'two']) await rig.source(name);
  assert.deepEqual(await intakeHealth(db), [{ name: 'intake', state: 'ok', detail: '2 sources' }]);
  await db.query(`update intake_source set trouble = 'it is away' where name = 'two'`);
  assert.deepEqual(await intakeHealth(db), [
    { name: 'intake', state: 'degraded', detail: '2 sources; two: it is away' },
  ]);
  await pauseSource(db, 'two', true);
  assert.deepEqual(await intakeHealth(db), [{ name: 'intake', state: 'ok', detail: '2 sources, 1 paused' }]);
  await db.query(
    `insert into incident (title, first_at, last_at, needs_person) values ('a', now(), now(), null), ('b', now(), now(), 'why')`,
  );
  assert.match((await intakeHealth(db))[0]!.detail, /; 2 incidents not resolved, 1 needs a person$/);
});
