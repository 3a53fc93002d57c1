import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../test/support/database.ts';
import { RUN_STATES, type RunState } from '../../protocol/run.ts';
import { settledEvents } from '../events/testing/settled.ts';
import { getRun } from './queries.ts';
import { isLeased, isLive, moveRun, RUN_TRANSITIONS } from './run-state.ts';
import { aRun } from './testing/work.ts';

test('every transition of the table is made and told; every other is refused and changes nothing', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  for (const from of RUN_STATES) {
    for (const to of RUN_STATES) {
      await db.pool.query(`update run set state = $1`, [from]);
      if (!RUN_TRANSITIONS[from].includes(to)) {
        await assert.rejects(moveRun(db.pool, run, { state: to }), {
          code: 'ERR_STATE',
          details: { from, to },
        });
        assert.equal((await getRun(db.pool, run)).state, from);
        continue;
      }
      await moveRun(db.pool, run, { state: to, leaseSeconds: 30, reason: 'why' });
      const moved = await getRun(db.pool, run);
      assert.equal(moved.state, to);
      assert.equal(moved.leaseUntil !== null, isLeased(to));
      assert.equal(moved.finishedAt === null, isLive(to));
      const { data } = (await settledEvents(db.pool)).at(-1)!;
      assert.deepEqual([data.from, data.to, data.reason], [from, to, 'why']);
    }
  }
});

test('from any live state every way ends, and no end but lost leads on', () => {
  const state = fc.constantFrom(...RUN_STATES);
  fc.assert(
    fc.property(state, (from) => {
      const next: readonly RunState[] = RUN_TRANSITIONS[from];
      if (!isLive(from) && from !== 'lost') assert.deepEqual(next, []);
      if (isLive(from)) assert.ok(next.some((to) => !isLive(to)));
    }),
  );
});

test('an announcement keeps the lease that a heartbeat gave', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  const before = await getRun(db.pool, run);
  await moveRun(db.pool, run, { state: 'working' });
  assert.equal((await getRun(db.pool, run)).leaseUntil, before.leaseUntil);
});
