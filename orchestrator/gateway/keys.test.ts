import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { createToken } from '../access/tokens.ts';
import { gatewayKeys } from './keys.ts';
import { liveRun } from './testing/live-run.ts';

const REFUSED = { code: 'ERR_UNAUTHENTICATED', status: 401 };

test('the key of a live run opens, and names run, task and project', async () => {
  await using database = await testDatabase();
  const { run, key } = await liveRun(database.pool, 'fake/small');
  const caller = await gatewayKeys(database.pool)(key);
  assert.deepEqual(caller, {
    run,
    key: null,
    task: Number(run.split('-')[0]),
    project: caller.project,
    worker: 'local',
    payers: {
      appliance: '',
      project: caller.payers.project,
      worker: 'local',
      agent: 'qwen-coder',
      person: 'test',
      task: run.split('-')[0],
      run,
    },
    where: caller.where,
    model: 'fake/small',
    policy: { allow: [[], []], external: false, cacheAnswers: false, keepPrompts: false },
    limits: {},
    cause: 'agent',
  });
  assert.match(caller.where, /^The project p/);
});

test('no key, a wrong one, and a token of another role are refused', async () => {
  await using database = await testDatabase();
  const identify = gatewayKeys(database.pool);
  const { token } = await createToken(database.pool, { name: 'me', role: 'admin' });
  for (const key of [undefined, '', 'ac_gateway_wrong', token]) await assert.rejects(identify(key), REFUSED);
});

test('a key ends with its run, and when it is revoked or expired', async () => {
  await using database = await testDatabase();
  const { pool } = database;
  const dead = await liveRun(pool);
  await pool.query(`update run set state = 'lost' where id = $1`, [dead.run]);
  await assert.rejects(gatewayKeys(pool)(dead.key), {
    ...REFUSED,
    message: new RegExp(`${dead.run} is lost`),
  });
  const revoked = await liveRun(pool);
  await pool.query(`update token set revoked_at = now() where run = $1`, [revoked.run]);
  await assert.rejects(gatewayKeys(pool)(revoked.key), { ...REFUSED, message: /revoked/ });
  const expired = await liveRun(pool);
  await pool.query(`update token set expires_at = now() - interval '1 s' where run = $1`, [expired.run]);
  await assert.rejects(gatewayKeys(pool)(expired.key), REFUSED);
});

test('an answer is believed for two seconds, a refusal not at all', async () => {
  await using database = await testDatabase();
  const { pool } = database;
  const { run, key } = await liveRun(pool);
  let now = 1000;
  const identify = gatewayKeys(pool, () => now);
  await identify(key);
  await pool.query(`update run set state = 'cancelled' where id = $1`, [run]);
  await identify(key);
  now += 2001;
  await assert.rejects(identify(key), REFUSED);
  await pool.query(`update run set state = 'working' where id = $1`, [run]);
  await identify(key);
});
