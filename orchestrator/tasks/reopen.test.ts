import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transaction } from '../db/connect.ts';
import { testDatabase, type TestDatabase } from '../../test/support/database.ts';
import { addProject } from '../intake/testing.ts';
import { createTask } from './create.ts';
import { getTask } from './queries.ts';
import { postMessage, sendOrReopen } from './reopen.ts';

const said = { author: 'ann', text: 'please also' };

/** A task in a state, with a run and, where one is given, a change. */
async function taskIn(
  db: TestDatabase,
  state: string,
  more: { run?: string; change?: string; moved?: boolean } = {},
) {
  const repository = await addProject(db.pool, `p${Math.random().toString(36).slice(2)}`);
  const { rows } = await db.pool.query(
    'select p.name from project p join repository r on r.project = p.id where r.id = $1',
    [repository],
  );
  const input = {
    project: rows[0].name,
    title: 't',
    body: '',
    acceptance: [],
    targetFiles: [],
    priority: 0,
    kind: 'change' as const,
    limits: {},
  };
  const { task } = await createTask(db.pool, input, { actor: 'me', agent: 'command', model: null });
  await db.pool.query(
    `insert into worker (name, host, version, capacity, state) values ('w', 'h', '1', 1, 'online') on conflict do nothing`,
  );
  await db.pool.query(
    `insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline, steerable)
     values ($1, $2, 1, $3, 'w', gen_random_uuid(), 'command', '', 'bubblewrap', now() + interval '1 hour', $4)`,
    [`${task.id}-1`, task.id, more.run === undefined ? 'succeeded' : 'working', more.run !== 'deaf'],
  );
  await db.pool.query(`update task set state = $2, pending_reason = null, attempt = 1 where id = $1`, [
    task.id,
    state,
  ]);
  if (more.change !== undefined)
    await db.pool.query(
      `insert into change (task, repository, run, forge, branch, base_branch, base_commit, head_commit, title, body, state, forge_head)
       values ($1, $2, $3, 'f', 'b', 'main', 'x', 'y', 't', '', $4, $5)`,
      [task.id, repository, `${task.id}-1`, more.change, more.moved === true ? 'z' : null],
    );
  return task.id;
}

test('what is said about a task reaches its agent, opens it again, waits, or is refused, by the state of things', async () => {
  await using db = await testDatabase();
  const post = async (task: number, mayReopen = true) =>
    await transaction(db.pool, async (tx) => await postMessage(tx, task, said, mayReopen));
  const refused = async (task: number, why: RegExp, mayReopen = true) =>
    await assert.rejects(
      post(task, mayReopen),
      (error: Error & { code: string }) => error.code === 'ERR_STATE' && why.test(error.message),
    );

  assert.equal(await post(await taskIn(db, 'queued')), 'appended');
  assert.equal(await post(await taskIn(db, 'running', { run: 'hears' })), 'appended');
  assert.equal(await post(await taskIn(db, 'running', { run: 'deaf' })), 'later');
  assert.equal(await post(await taskIn(db, 'failed')), 'reopened');
  const delivered = await taskIn(db, 'completed', { change: 'open' });
  assert.equal(await post(delivered), 'reopened');
  const again = await getTask(db.pool, delivered);
  assert.deepEqual([again.state, again.finishedAt], ['queued', null]);

  await refused(await taskIn(db, 'completed', { change: 'open' }), /as often as its source may/, false);
  await refused(await taskIn(db, 'completed', { change: 'merged' }), /which is merged/);
  await refused(await taskIn(db, 'completed', { change: 'closed' }), /which is closed/);
  await refused(await taskIn(db, 'completed', { change: 'open', moved: true }), /commits of somebody else/);
  await refused(await taskIn(db, 'cancelled'), /was cancelled/);
});

test('a person opens a task again with what is left to do; one that goes on gets it as any message', async () => {
  await using db = await testDatabase();
  const ended = await taskIn(db, 'completed', { change: 'open' });
  const sent = await sendOrReopen(db.pool, ended, said);
  assert.deepEqual([sent.number, sent.text, sent.run], [1, said.text, null]);
  assert.equal((await getTask(db.pool, ended)).state, 'queued');
  assert.equal((await sendOrReopen(db.pool, ended, said)).number, 2);
  const deaf = await taskIn(db, 'running', { run: 'deaf' });
  await assert.rejects(sendOrReopen(db.pool, deaf, said), { code: 'ERR_STATE' });
});
