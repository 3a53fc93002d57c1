// Calls are kept once, with their price; a database that is away for a moment costs no record.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { testDatabase } from '../../test/support/database.ts';
import { chargeWriter } from '../budget/charge-writer.ts';
import type { Database } from '../db/connect.ts';
import { gatewayKeys } from './keys.ts';
import { chargeOf, insertCalls, type Recorded } from './ledger.ts';
import { liveRun } from './testing/live-run.ts';

const PRICE = { input: 3, cached: 0.3, output: 15 };

async function aRecord(db: Database, key: string): Promise<Recorded> {
  const call = {
    request: randomUUID(),
    caller: await gatewayKeys(db)(key),
    protocol: 'chat',
    modelAsked: 'small',
    modelServed: 'fake/small',
    price: PRICE,
    metered: { tokens: { input: 1000, cached: 900, output: 10 }, source: 'upstream', reasoning: null },
    cause: 'agent',
    fallback: null,
    queueMs: 0,
    status: 200,
    outcome: 'ok',
    firstByteMs: 5,
    totalMs: 9,
  } as const;
  return chargeOf(call, { slab: null, engine: 'fake', money: 720, gpu: 3 });
}

const writerOf = (db: Database) =>
  chargeWriter({ db, books: { timeZone: 'UTC', currency: 'EUR' }, insert: insertCalls });

test('a call is kept with the price it was made at, once, with its charge', async () => {
  await using database = await testDatabase();
  const db = database.pool;
  const { run, key } = await liveRun(db);
  const record = await aRecord(db, key);
  const writer = writerOf(db);
  await Promise.all([writer.write(record), writer.write(record), writer.write(await aRecord(db, key))]);
  await writer.write(record);
  const { rows } = await db.query(
    'select run, price, cost_micros, gpu_ms, input_tokens, fallback from model_call',
  );
  const kept = { run, price: PRICE, cost_micros: 720, gpu_ms: 3, input_tokens: 1000, fallback: null };
  assert.deepEqual(rows, [kept, kept]);
  const spent = await db.query(`select scope, money from account_day order by scope`);
  assert.deepEqual(
    spent.rows.map((row) => [row.scope, row.money]),
    ['agent', 'appliance', 'person', 'project', 'run', 'task', 'worker'].map((scope) => [scope, 1440]),
  );
  assert.equal((await db.query('select from ledger_entry')).rowCount, 2);
});

test('a database that is away for a moment costs no record', async () => {
  await using database = await testDatabase();
  const db = database.pool;
  const { key } = await liveRun(db);
  const record = await aRecord(db, key);
  const written = writerOf(db).write(record);
  for (let times = 0; times < 3; times++) {
    await db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await delay(5);
  }
  await written;
  assert.equal((await db.query('select from model_call')).rowCount, 1);
});

test('what can never be stored is refused at once, and takes no other call with it', async () => {
  await using database = await testDatabase();
  const db = database.pool;
  const { key } = await liveRun(db);
  const [good, odd, other] = [await aRecord(db, key), await aRecord(db, key), await aRecord(db, key)];
  const writer = writerOf(db);
  const writtenFirst = writer.write(good);
  const refused = assert.rejects(writer.write({ ...odd, call: { ...odd.call, outcome: 'odd' as 'ok' } }), {
    code: 'ERR_DATABASE',
  });
  await Promise.all([writtenFirst, refused, writer.write(other)]);
  assert.equal((await db.query('select from model_call')).rowCount, 2);
});
