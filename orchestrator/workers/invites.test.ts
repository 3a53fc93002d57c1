import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import type { WorkerJoin } from '../../protocol/joining.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { testDatabase } from '../../test/support/database.ts';
import { revokeToken, verifyToken } from '../access/tokens.ts';
import { inviteWorker, joinWorker, listInvites, revokeInvite } from './invites.ts';

const db = await testDatabase();
after(async () => await db[Symbol.asyncDispose]());
const { pool } = db;

const key = () => randomBytes(32).toString('base64url');
const asks = (secret: string, more: Partial<WorkerJoin> = {}): WorkerJoin => ({
  protocol: PROTOCOL_VERSION,
  version: '1',
  secret,
  machine: key(),
  name: 'host',
  ...more,
});
const invite = async (name?: string) =>
  await inviteWorker(pool, { ...(name === undefined ? {} : { name }), ttlSeconds: 3600 }, 'ann');

test('of several machines that come at once with one invitation, one gets a token', async () => {
  const { secret } = await invite('vm-1');
  const outcomes = await Promise.allSettled(
    Array.from({ length: 8 }, async () => await joinWorker(pool, asks(secret))),
  );
  const joined = outcomes.filter((each) => each.status === 'fulfilled');
  assert.equal(joined.length, 1);
  assert.equal((await verifyToken(pool, joined[0]!.value.token))?.role, 'worker');
  for (const each of outcomes.filter(({ status }) => status === 'rejected'))
    assert.match(
      String((each as PromiseRejectedResult).reason),
      /was used for worker vm-1, by another machine/,
    );
});

test('a machine that asks again, also at once, gets the same token, and keeps one live token', async () => {
  const { secret, invite: made } = await invite('vm-2');
  const input = asks(secret);
  const answers = await Promise.all([1, 2, 3].map(async () => await joinWorker(pool, input)));
  assert.equal(new Set(answers.map(({ token }) => token)).size, 1);
  const { rows } = await pool.query(`select id from token where name = 'worker-vm-2' and revoked_at is null`);
  assert.equal(rows.length, 1);
  const shown = (await listInvites(pool)).find(({ id }) => id === made.id);
  assert.deepEqual([shown?.state, shown?.worker], ['used', 'vm-2']);
  await revokeToken(pool, (rows[0] as { id: number }).id);
  await assert.rejects(async () => await joinWorker(pool, input), /that worker vm-2 got .* was revoked/);
});

test('an invitation by name takes the place of the worker that has it; one without a name does not', async () => {
  const first = await joinWorker(pool, asks((await invite()).secret, { name: 'vm-3' }));
  await pool.query(
    `insert into worker (name, host, version, capacity, state) values ('vm-3', 'there', '1', 1, 'online')`,
  );
  const { secret } = await invite();
  await assert.rejects(
    async () => await joinWorker(pool, asks(secret, { name: 'vm-3' })),
    /A worker vm-3 is online, on there/,
  );
  assert.notEqual(await verifyToken(pool, first.token), null);
  assert.equal((await joinWorker(pool, asks(secret, { name: 'vm-4' }))).worker, 'vm-4', 'it was not used up');
  const second = await joinWorker(pool, asks((await invite('vm-3')).secret));
  assert.equal(second.worker, 'vm-3');
  assert.equal(await verifyToken(pool, first.token), null);
});

test('revoked, expired and unknown invitations and other versions are refused, and nothing is used up', async () => {
  const revoked = await invite();
  await revokeInvite(pool, revoked.invite.id);
  await assert.rejects(async () => await joinWorker(pool, asks(revoked.secret)), /was revoked/);
  const late = await invite();
  await pool.query(`update worker_invite set expires_at = now() where id = $1`, [late.invite.id]);
  await assert.rejects(async () => await joinWorker(pool, asks(late.secret)), /expired at/);
  await assert.rejects(async () => await joinWorker(pool, asks(key())), /not known here/);
  await assert.rejects(async () => await revokeInvite(pool, 99_999), /There is no invitation 99999/);
  const { secret } = await invite('vm-5');
  const old = { protocol: PROTOCOL_VERSION - 2 };
  await assert.rejects(
    async () => await joinWorker(pool, asks(secret, old)),
    (error: Error & { code: string; remedy: string }) =>
      error.code === 'ERR_PROTOCOL_VERSION' && error.remedy.includes('Upgrade the machine'),
  );
  assert.equal((await joinWorker(pool, asks(secret))).worker, 'vm-5');
});
