import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { createToken, listTokens, replaceToken, revokeToken, verifyToken } from './tokens.ts';

test('a token is verified until it is revoked, and only its hash is stored', async () => {
  await using db = await testDatabase();
  const made = await createToken(db.pool, { name: 'ci', role: 'operator' });
  assert.match(made.token, /^ac_operator_[\w-]{43}$/);
  assert.deepEqual(await verifyToken(db.pool, made.token), {
    id: made.id,
    name: 'ci',
    role: 'operator',
    run: null,
  });
  const { rows } = await db.pool.query('select * from token');
  assert.ok(!JSON.stringify(rows).includes(made.token));
  await revokeToken(db.pool, made.id);
  assert.equal(await verifyToken(db.pool, made.token), null);
});

test('an expired token, a changed one and an empty one open nothing', async () => {
  await using db = await testDatabase();
  const made = await createToken(db.pool, { name: 'old', role: 'viewer', expiresInDays: 1 });
  assert.equal(await verifyToken(db.pool, `${made.token}x`), null);
  assert.equal(await verifyToken(db.pool, ''), null);
  await db.pool.query(`update token set expires_at = now() - interval '1 second'`);
  assert.equal(await verifyToken(db.pool, made.token), null);
});

test('replacing a token ends the one before under the same name and role', async () => {
  await using db = await testDatabase();
  const first = await replaceToken(db.pool, { name: 'local', role: 'admin' });
  const second = await replaceToken(db.pool, { name: 'local', role: 'admin' });
  assert.equal(await verifyToken(db.pool, first.token), null);
  assert.equal((await verifyToken(db.pool, second.token))?.name, 'local');
  assert.equal((await listTokens(db.pool)).length, 2);
});

test('revoking a token that does not exist names it', async () => {
  await using db = await testDatabase();
  await assert.rejects(revokeToken(db.pool, 77), { code: 'ERR_NOT_FOUND', message: /token 77/ });
});
