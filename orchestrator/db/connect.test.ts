import assert from 'node:assert/strict';
import { once } from 'node:events';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { connect, hasPgvector, listen, sqlState, transaction } from './connect.ts';

test('values come as numbers where that is exact, as strings and dates otherwise', async () => {
  await using db = await testDatabase({ empty: true });
  const { rows } = await db.pool.query(
    `select 2::int8 as small, 9007199254740993::int8 as big, 1.10::numeric as money, 'epoch'::timestamptz as at`,
  );
  assert.deepEqual(rows[0], { small: 2, big: 9007199254740993n, money: '1.10', at: new Date(0) });
});

test('a transaction that fails leaves nothing, and the pool goes on', async () => {
  await using db = await testDatabase({ empty: true, poolSize: 1 });
  await db.pool.query('create table t (n int)');
  await assert.rejects(
    transaction(db.pool, async (tx) => {
      await tx.query('insert into t values (1)');
      throw new Error('no');
    }),
    /no/,
  );
  assert.equal(await transaction(db.pool, async (tx) => (await tx.query('select from t')).rowCount), 0);
});

test('transactions that deadlock or cannot be serialised are run again', async () => {
  await using db = await testDatabase({ empty: true });
  await db.pool.query('create table t (id int primary key, n int); insert into t values (1, 0), (2, 0)');
  const both = new EventEmitter();
  let waiting = 0;
  let tries = 0;
  const cross = (first: number, second: number) =>
    transaction(db.pool, async (tx) => {
      tries++;
      await tx.query('update t set n = n + 1 where id = $1', [first]);
      if (tries <= 2) {
        const go = once(both, 'go');
        if (++waiting === 2) both.emit('go');
        else await go;
      }
      await tx.query('update t set n = n + 1 where id = $1', [second]);
    });
  await Promise.all([cross(1, 2), cross(2, 1)]);
  assert.equal(tries, 3);
  assert.deepEqual((await db.pool.query('select n from t order by id')).rows, [{ n: 2 }, { n: 2 }]);
});

test('a backend that is terminated in a transaction fails that transaction alone', async () => {
  await using db = await testDatabase({ empty: true });
  const killed = transaction(db.pool, async (tx) => {
    const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
    await db.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await tx.query('select pg_sleep(1)');
  });
  await assert.rejects(killed);
  assert.equal(await transaction(db.pool, async (tx) => (await tx.query('select 1')).rowCount), 1);
});

test('a listener hears notifications, also after its connection was cut', { timeout: 20_000 }, async () => {
  await using db = await testDatabase({ empty: true });
  const heard = new EventEmitter();
  const other = connect({ url: db.url, poolSize: 1, applicationName: 'listener' });
  const listener = await listen(other, 'queue', (payload) => void heard.emit('any', payload));
  try {
    const first = once(heard, 'any');
    await db.pool.query(`select pg_notify('queue', 'one')`);
    assert.deepEqual(await first, ['one']);
    const again = once(heard, 'any');
    await db.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listener'`,
    );
    assert.deepEqual(await again, [undefined]);
    const second = once(heard, 'any');
    await db.pool.query(`select pg_notify('queue', 'two')`);
    assert.deepEqual(await second, ['two']);
  } finally {
    await listener.stop();
    await other.end();
  }
});

test('an error tells its SQLSTATE', async () => {
  await using db = await testDatabase({ empty: true });
  const error = await db.pool.query('select * from missing').catch((reason: unknown) => reason);
  assert.equal(sqlState(error), '42P01');
  assert.equal(sqlState(new Error('x')), '');
  assert.equal(typeof (await hasPgvector(db.pool)), 'boolean');
});
