// A task begins only when the secrets that it needs can be read; until then it waits, and is nobody in the way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Queryable } from '../db/connect.ts';
import { explainTask } from './explain.ts';
import { lockedSecrets, noteSecrets } from './locked-secrets.ts';
import { getTask } from './queries.ts';
import { sweep } from './sweep.ts';
import { aProject, aTask, aWorker, claim, SETTINGS, SWEEP } from './testing/work.ts';

const SEALED = 'https://vault is sealed: `autocode secret unseal`';

const stateOf = async (db: Queryable, id: number) => {
  const { state, pendingReason } = await getTask(db, id);
  return pendingReason === null ? state : `${state}(${pendingReason})`;
};

test('a task that needs a secret waits while none can be read, others go on, and it is told and woken', async () => {
  await using db = await testDatabase();
  await aWorker(db.pool, 'w', 10);
  await aProject(db.pool, 'p');
  await aProject(db.pool, 'other');
  await db.pool.query(
    `update repository set forge = 'gitea.example' where project = (select id from project where name = 'p')`,
  );
  const { id } = await aTask(db.pool);
  const other = await aTask(db.pool, 'other');
  await noteSecrets(db.pool, SEALED);
  const before = await explainTask(db.pool, id, SETTINGS);
  assert.equal(before.waits[0]?.for, 'secrets');
  assert.equal((await claim(db.pool))?.task.id, other.id);
  assert.equal(await claim(db.pool), null);
  assert.equal(await stateOf(db.pool, id), 'pending(secrets)');
  const { waits, summary } = await explainTask(db.pool, id, SETTINGS);
  assert.equal(summary, 'It waits for a secret that cannot be read now.');
  assert.equal(waits[0]?.why, `It needs the credential of the forge gitea.example. ${SEALED}`);
  assert.equal((await sweep(db.pool, SWEEP)).unlocked, 0);
  await noteSecrets(db.pool, null);
  assert.equal((await sweep(db.pool, SWEEP)).unlocked, 1);
  assert.equal((await claim(db.pool))?.task.id, id);
});

test('what a task needs: forges of its repositories, bound secrets, keys of engines', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p');
  const { id } = await aTask(db.pool);
  const task = { id, agent: 'qwen-coder', model: 'large' };
  const keys = (model: string) => (model === 'large' ? ['openai-key'] : []);
  assert.equal(await lockedSecrets(db.pool, task), undefined);
  assert.equal(await lockedSecrets(db.pool, task, keys), 'It needs the secret openai-key.');
  assert.equal(await lockedSecrets(db.pool, { ...task, agent: 'command' }, keys), undefined);
  await db.pool.query(
    `insert into secret_binding (project, secret, rule, plain, place, variable, author)
     values (null, 'npm-token', '*', false, 'bearer', 'NPM_TOKEN', 'ann')`,
  );
  assert.equal(
    await lockedSecrets(db.pool, task, keys),
    'It needs the secret npm-token and the secret openai-key.',
  );
});
