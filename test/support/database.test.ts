import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from './database.ts';

test('a test database has the schema, is alone, and is gone when disposed', async () => {
  await using other = await testDatabase();
  let name: string;
  {
    await using db = await testDatabase();
    name = (await db.pool.query<{ name: string }>('select current_database() as name')).rows[0]?.name ?? '';
    await db.pool.query(
      `insert into worker (name, host, version, capacity, state) values ('w', 'h', '1', 1, 'online')`,
    );
    assert.equal((await other.pool.query('select from worker')).rowCount, 0);
  }
  assert.equal((await other.pool.query('select from pg_database where datname = $1', [name])).rowCount, 0);
});

test('an empty test database has no tables', async () => {
  await using db = await testDatabase({ empty: true });
  const tables = await db.pool.query(`select from pg_tables where schemaname = 'public'`);
  assert.equal(tables.rowCount, 0);
});
