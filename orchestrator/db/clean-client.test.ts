import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { connect, transaction } from './connect.ts';

test('every text that goes into the database is cleaned, however it is asked for', async () => {
  await using plain = await testDatabase();
  const pool = connect({ url: plain.url, clean: (text) => text.replaceAll('canary', '[gone]') });
  try {
    await pool.query('create table said (n int, text text, list text[], data jsonb)');
    const insert = 'insert into said values ($1, $2, $3, $4)';
    const values = [1, 'a canary', ['b canary', 'c'], { d: 'canary' }];
    await pool.query(insert, values);
    await pool.query({ text: insert, values });
    await pool.query({ name: 'prepared', text: insert, values });
    await transaction(pool, async (tx) => await tx.query(insert, values));
    await new Promise<void>((resolve, reject) =>
      pool.query(insert, values, (error) => (error ? reject(error) : resolve())),
    );
    const { rows } = await pool.query('select distinct text, list, data from said');
    assert.deepEqual(rows, [{ text: 'a [gone]', list: ['b [gone]', 'c'], data: { d: '[gone]' } }]);
    const bytes = Buffer.from('canary');
    const at = new Date(0);
    const kept = await pool.query('select $1::bytea as bytes, $2::timestamptz as at, $3::text as none', [
      bytes,
      at,
      null,
    ]);
    assert.deepEqual(kept.rows, [{ bytes, at, none: null }]);
  } finally {
    await pool.end();
  }
});
