// Prices hold from their time on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { listPrices, priceBook, setPrice } from './prices.ts';

const price = (input: number) => ({ input, cached: input / 10, output: input * 5 });

test('a price holds from its time on, the last one set for a time is the one that counts', async () => {
  await using db = await testDatabase();
  assert.equal(await priceBook(db.pool)('vllm/qwen'), undefined);
  await setPrice(db.pool, { model: 'vllm/qwen', price: price(1), source: 'set by hand' }, 'ann');
  await setPrice(db.pool, { model: 'vllm/qwen', price: price(2), source: 'set by hand' }, 'ann');
  const later = new Date(Date.now() + 1_500);
  await setPrice(
    db.pool,
    { model: 'vllm/qwen', price: price(3), source: 'a table', validFrom: later },
    'ann',
  );
  assert.deepEqual(await priceBook(db.pool)('vllm/qwen'), price(2));
  assert.deepEqual(
    (await listPrices(db.pool)).map(({ price: { input }, current }) => [input, current]),
    [
      [3, false],
      [2, true],
      [1, false],
    ],
  );
  await db.pool.query('select pg_sleep(1.6)');
  assert.deepEqual(await priceBook(db.pool)('vllm/qwen'), price(3));
  await assert.rejects(
    setPrice(db.pool, { model: 'vllm/qwen', price: price(9), source: 'x', validFrom: new Date(0) }, 'ann'),
    /cannot begin in the past/,
  );
});
