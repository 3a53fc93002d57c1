import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { finishRun } from './finish.ts';
import { reconcile } from './reconcile.ts';
import { aRun, POLICY, report } from './testing/work.ts';

test('a live run keeps its open logs and its tokens', async () => {
  await using db = await testDatabase();
  await aRun(db.pool);
  assert.deepEqual(await reconcile(db.pool), { logs: 0, tokens: 0 });
});

test('an ended run has nothing to mend, and what it should not hold is taken from it', async () => {
  await using db = await testDatabase();
  const order = await aRun(db.pool);
  await finishRun(db.pool, order.run, report(order, { outcome: 'failed', cause: 'agent' }), POLICY);
  assert.deepEqual(await reconcile(db.pool), { logs: 0, tokens: 0 });
  await db.pool.query(
    `update log_stream set state = 'open'; update token set revoked_at = null, expires_at = null`,
  );
  assert.deepEqual(await reconcile(db.pool), { logs: 2, tokens: 2 });
  const { rows } = await db.pool.query(
    `select role, revoked_at is not null as revoked, expires_at > now() as ends from token order by role`,
  );
  assert.deepEqual(rows, [
    { role: 'gateway', revoked: true, ends: null },
    { role: 'run', revoked: false, ends: true },
  ]);
});
