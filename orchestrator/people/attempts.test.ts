import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/support/database.ts';
import type { AutocodeError } from '../../protocol/errors.ts';
import { countAttempt, forgetAttempts, forgive } from './attempts.ts';

/** The wait that follows one more attempt when there were so many. */
async function waitAfter(db: TestDatabase, attempts: number, name: string, address: string): Promise<number> {
  await db.pool.query('delete from sign_in_attempt');
  await countAttempt(db.pool, name, address);
  await db.pool.query('update sign_in_attempt set attempts = $1, closed_until = now()', [attempts]);
  await countAttempt(db.pool, name, address);
  const { rows } = await db.pool.query(
    'select max(extract(epoch from closed_until - last_at))::float as wait from sign_in_attempt',
  );
  return rows[0].wait;
}

test('however many come at once, few are let through', async () => {
  await using db = await testDatabase();
  const all = await Promise.allSettled(
    Array.from({ length: 40 }, async () => await countAttempt(db.pool, 'ann', '10.0.0.1')),
  );
  const through = all.filter(({ status }) => status === 'fulfilled').length;
  assert.ok(through >= 6 && through <= 12, `${through} of 40 were let through`);
});

test('each attempt after the free ones has to wait longer, a quarter of an hour at most', async () => {
  await using db = await testDatabase();
  const waits = [];
  for (const attempts of [4, 5, 6, 9, 19, 1000]) waits.push(await waitAfter(db, attempts, 'ann', '10.0.0.1'));
  assert.deepEqual(waits, [0, 1, 2, 16, 900, 900]);
  await assert.rejects(countAttempt(db.pool, 'ann', '10.0.0.1'), (error: AutocodeError) => {
    assert.equal(error.code, 'ERR_RATE_LIMITED');
    return (error.details as { seconds: number }).seconds > 600;
  });
});

test('a name that is guessed at from everywhere waits a minute at most, so that nobody can keep its owner out', async () => {
  await using db = await testDatabase();
  await waitAfter(db, 1000, 'ann', '10.0.0.1');
  const wait = async (name: string, address: string) =>
    await countAttempt(db.pool, name, address).then(
      () => 0,
      (error: AutocodeError) => (error.details as { seconds: number }).seconds,
    );
  const own = await wait('ann', '10.9.9.9');
  assert.ok(own > 0 && own <= 60, String(own));
  assert.ok((await wait('bob', '10.0.0.1')) > 600, 'the address is not let at others');
  assert.equal(await wait('bob', '10.9.9.9'), 0);
});

test('a success forgives the name, and of the address only itself', async () => {
  await using db = await testDatabase();
  for (let i = 0; i < 5; i++) await countAttempt(db.pool, 'ann', '10.0.0.1');
  await forgive(db.pool, 'ann', '10.0.0.1');
  const { rows } = await db.pool.query('select attempts from sign_in_attempt');
  assert.deepEqual(rows, [{ attempts: 4 }]);
  assert.equal(await forgetAttempts(db.pool), 0);
  await db.pool.query(`update sign_in_attempt set last_at = now() - interval '2 days'`);
  assert.equal(await forgetAttempts(db.pool), 1);
});
