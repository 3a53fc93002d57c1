// The chain shows whatever was changed, removed or added; entries are written once.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { transaction } from '../db/connect.ts';
import { append, verifyLedger, type EntryInput } from './ledger.ts';

const entry = (amount: number, id = randomUUID()): EntryInput => ({
  id,
  kind: 'usage',
  debit: 'project:shop',
  credit: 'engine:vllm',
  amount,
  detail: { model: 'vllm/qwen', run: '7-1', words: 'ü "quoted" \u2028' },
});

test('entries are chained, and a repeated one is no second one', async () => {
  await using db = await testDatabase();
  const id = randomUUID();
  await transaction(db.pool, async (tx) => await append(tx, [entry(1), entry(2, id)], 'EUR'));
  await transaction(db.pool, async (tx) => await append(tx, [entry(2, id), entry(3)], 'EUR'));
  // At once from many sides.
  await Promise.all(
    Array.from(
      { length: 20 },
      async (_, index) =>
        await transaction(db.pool, async (tx) => await append(tx, [entry(index + 1)], 'EUR')),
    ),
  );
  const { entries, wrong } = await verifyLedger(db.pool);
  assert.deepEqual({ entries, wrong }, { entries: 23, wrong: null });
});

test('a ledger that grows while it is looked through is right', async () => {
  await using db = await testDatabase();
  let grown = false;
  const growing = (async () => {
    for (let index = 1; index <= 60; index++)
      await transaction(db.pool, async (tx) => await append(tx, [entry(index)], 'EUR'));
  })().finally(() => (grown = true));
  while (!grown) assert.equal((await verifyLedger(db.pool)).wrong, null);
  await growing;
});

const tampering: [string, string, RegExp][] = [
  [
    'a changed amount',
    'update ledger_entry set amount = 5 where seq = 3',
    /entry 3 .* is not what was written/,
  ],
  [
    'a changed detail',
    `update ledger_entry set detail = '{"model":"other"}' where seq = 2`,
    /entry 2 .* is not what was written/,
  ],
  ['a removed entry', 'delete from ledger_entry where seq = 2', /entry 2 is missing/],
  ['a removed end', 'delete from ledger_entry where seq = 4', /entry 4 is missing/],
  [
    'an entry behind the head',
    `insert into ledger_entry select 6, gen_random_uuid(), at, kind, debit, credit, amount, currency, detail, hash from ledger_entry where seq = 4`,
    /entry 6 is after the head/,
  ],
  [
    'an end removed together with the head',
    'delete from ledger_entry where seq = 4; update ledger_head set seq = 3',
    /head does not fit/,
  ],
];

for (const [what, sql, says] of tampering) {
  test(`${what} is found`, async () => {
    await using db = await testDatabase();
    await transaction(
      db.pool,
      async (tx) => await append(tx, [entry(1), entry(2), entry(3), entry(4)], 'EUR'),
    );
    if (!sql.startsWith('insert')) await assert.rejects(db.pool.query(sql.split(';')[0]!), /append-only/);
    await db.pool.query('alter table ledger_entry disable trigger ledger_append_only');
    await db.pool.query(sql);
    assert.match((await verifyLedger(db.pool)).wrong ?? '', says);
  });
}
