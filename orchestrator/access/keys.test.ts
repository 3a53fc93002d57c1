import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { createKey, listKeys, revokeKey } from './keys.ts';
import { listTokens, verifyToken } from './tokens.ts';

const INPUT = { name: 'editor', kind: 'person', models: ['gpu/small'], external: false } as const;

test('a key is shown once, listed without its text, and is no token of the API', async () => {
  await using database = await testDatabase();
  const { pool } = database;
  const { key, ...made } = await createKey(pool, { ...INPUT, models: [...INPUT.models], expiresInDays: 1 });
  assert.match(key, /^ac_gateway_[\w-]{43}$/);
  assert.deepEqual(await listKeys(pool), [made]);
  assert.deepEqual([made.kind, made.models, made.project], ['person', ['gpu/small'], null]);
  assert.ok(made.expiresAt !== null);
  assert.deepEqual(await listTokens(pool), []);
  assert.equal((await verifyToken(pool, key))?.role, 'gateway');
  const { rows } = await pool.query('select hash from token');
  assert.ok(!String(rows[0].hash).includes(key));
});

test('a key may belong to a project, which must be there', async () => {
  await using database = await testDatabase();
  const { pool } = database;
  await pool.query(`insert into project (name) values ('shop')`);
  const input = { ...INPUT, models: [] };
  assert.equal((await createKey(pool, { ...input, project: 'shop' })).project, 'shop');
  await assert.rejects(createKey(pool, { ...input, project: 'none' }), { code: 'ERR_NOT_FOUND' });
});

test('a key is revoked once and for all; what is none is not found', async () => {
  await using database = await testDatabase();
  const { pool } = database;
  const { id } = await createKey(pool, { ...INPUT, models: [] });
  const revoked = await revokeKey(pool, id);
  assert.ok(revoked.revokedAt !== null);
  assert.equal((await revokeKey(pool, id)).revokedAt, revoked.revokedAt);
  await assert.rejects(revokeKey(pool, id + 1), { code: 'ERR_NOT_FOUND', remedy: /key list/ });
});
