import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Queryable } from '../db/connect.ts';
import { gatewayKeys } from './keys.ts';
import { recordCall } from './ledger.ts';
import type { CallRecord } from './ledger.ts';
import { liveRun } from './testing/live-run.ts';

async function aRecord(db: Queryable, key: string): Promise<CallRecord> {
  return {
    request: randomUUID(),
    caller: await gatewayKeys(db)(key),
    protocol: 'chat',
    modelAsked: 'small',
    modelServed: 'fake/small',
    price: { input: 3, cached: 0.3, output: 15 },
    metered: { tokens: { input: 1000, cached: 900, output: 10 }, source: 'upstream', reasoning: null },
    cause: 'agent',
    fallback: null,
    queueMs: 0,
    status: 200,
    outcome: 'ok',
    firstByteMs: 5,
    totalMs: 9,
  };
}

test('a call is kept with the price it was made at, once', async () => {
  await using database = await testDatabase();
  const { run, key } = await liveRun(database.pool);
  const record = await aRecord(database.pool, key);
  await recordCall(database.pool, record);
  await recordCall(database.pool, record);
  const { rows } = await database.pool.query('select * from model_call');
  assert.equal(rows.length, 1);
  assert.equal(rows[0].run, run);
  assert.deepEqual(rows[0].price, record.price);
  assert.equal(rows[0].cost_micros, 720);
});

test('a database that is away for a moment costs no record', async () => {
  await using database = await testDatabase();
  const { key } = await liveRun(database.pool);
  const record = await aRecord(database.pool, key);
  let failures = 2;
  const away = Object.assign(new Error('terminating connection'), { code: '57P01' });
  const flaky = {
    query: (...call: unknown[]) =>
      failures-- > 0 ? Promise.reject(away) : Reflect.apply(database.pool.query, database.pool, call),
  };
  await recordCall(flaky as unknown as Queryable, record);
  assert.equal((await database.pool.query('select from model_call')).rowCount, 1);
});

test('what can never be stored is refused at once', async () => {
  await using database = await testDatabase();
  const { key } = await liveRun(database.pool);
  const record = { ...(await aRecord(database.pool, key)), outcome: 'odd' as 'ok' };
  await assert.rejects(recordCall(database.pool, record), { code: 'ERR_DATABASE' });
});
