// Tasks that cannot begin since a secret that they need cannot be read, as while Vault is sealed: they wait as pending(secrets), out
// of the way of others, and go back to the queue when secrets can be read again. Used by the claim, the sweep and the status.
import type { Queryable } from '../db/connect.ts';
import { arrangeQueue, lockTask, WAITS } from './queue.ts';
import { moveTask } from './task-state.ts';

/** What tells which secrets a task needs. */
export interface Needing {
  id: number;
  agent: string;
  model: string;
}

/** The secrets without which no engine of a model answers; none where one answers without. */
export type EngineKeys = (model: string) => string[];

/** Does with models what it likes, or nothing: whether it needs a key is not known before. */
const OWN_COMMAND = 'command';
const AT_ONCE = 50;

/** Notes why no secret can be read, null when they can. */
export async function noteSecrets(db: Queryable, away: string | null): Promise<void> {
  await db.query('update secret_store set away = $1 where away is distinct from $1', [away]);
}

/** Why no secret can be read now; null when they can. */
export async function secretsAway(db: Queryable): Promise<string | null> {
  const { rows } = await db.query<{ away: string | null }>('select away from secret_store');
  return rows[0]?.away ?? null;
}

/** What keeps the next run of a task from beginning while no secret can be read; undefined when it needs none. */
export async function lockedSecrets(
  tx: Queryable,
  { id, agent, model }: Needing,
  engineKeys: EngineKeys = () => [],
): Promise<string | undefined> {
  const { rows } = await tx.query<{ forges: string[]; bound: string[] }>(
    `select to_jsonb(array(select distinct r.forge from task_repository t join repository r on r.id = t.repository
         where t.task = $1 and r.forge <> 'local' order by 1)) as forges,
       to_jsonb(array(select distinct secret from secret_binding
         where project is null or project = (select project from task where id = $1) order by 1)) as bound`,
    [id],
  );
  const { forges, bound } = rows[0]!;
  const keys = agent === OWN_COMMAND ? [] : engineKeys(model);
  const needed = [
    ...forges.map((name) => `the credential of the forge ${name}`),
    ...[...new Set([...bound, ...keys])].map((name) => `the secret ${name}`),
  ];
  return needed.length === 0 ? undefined : `It needs ${needed.join(' and ')}.`;
}

/** Takes a queued task out of the queue until secrets can be read. */
export async function awaitSecrets(
  tx: Queryable,
  task: { id: number; project: number },
  why: string,
): Promise<void> {
  await moveTask(tx, task.id, { state: 'pending', pendingReason: 'secrets', reason: why });
  await arrangeQueue(tx, task.project);
}

/** Tasks that wait for secrets although they can be read, the first ones first. */
export async function unlockedTasks(db: Queryable): Promise<{ id: number }[]> {
  const { rows } = await db.query<{ id: number }>(
    `select id from task where pending_reason = 'secrets' and not exists (select from secret_store where away is not null)
     order by order_key, id limit ${AT_ONCE}`,
  );
  return rows;
}

/** Puts a task that waited for secrets back in the queue. */
export async function takeUpUnlocked(tx: Queryable, id: number): Promise<boolean> {
  const task = await lockTask(tx, id);
  if (task.pendingReason !== 'secrets') return false;
  await moveTask(tx, id, { state: 'pending', pendingReason: 'repository', reason: WAITS });
  await arrangeQueue(tx, task.project);
  return true;
}
