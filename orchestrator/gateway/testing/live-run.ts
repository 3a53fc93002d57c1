// A run in the database and its gateway key, for tests of the gateway.
import { runTokens } from '../../access/tokens.ts';
import type { Database } from '../../db/connect.ts';

/** Makes a project, a task and a run that is working; answers its id and its gateway key. */
export async function liveRun(db: Database, model = 'fake/small'): Promise<{ run: string; key: string }> {
  const name = `p${Math.random().toString(36).slice(2)}`;
  const project = (await db.query(`insert into project (name) values ($1) returning id`, [name])).rows[0].id;
  const task = (
    await db.query(
      `insert into task (project, title, body, agent, model, state, order_key, attempt, created_by)
       values ($1, 'a task', '', 'qwen-coder', $2, 'running', now(), 1, 'test') returning id`,
      [project, model],
    )
  ).rows[0].id;
  const run = `${task}-1`;
  await db.query(
    `insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline)
     values ($1, $2, 1, 'working', 'local', gen_random_uuid(), 'qwen-coder', $3, 'directory', now() + interval '1 hour')`,
    [run, task, model],
  );
  const { gatewayKey } = await runTokens(Buffer.from('a server key for tests'))(db, run);
  return { run, key: gatewayKey };
}
