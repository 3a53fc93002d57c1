// Takes tasks up again that were held off by a limit of runs or an earlier change: no more of them than can begin, so that however many
// wait, each is moved once for each of its turns. Used by the sweep.
import type { Queryable } from '../db/connect.ts';
import { arrangeQueue, lockTask, WAITS } from './queue.ts';
import { activeBy, limitNamed, type RunLimitSettings } from './run-limits.ts';
import { moveTask } from './task-state.ts';

const AT_ONCE = 50;

/** Tasks that need not wait any longer, the first ones first. */
export async function freeTasks(db: Queryable, settings: RunLimitSettings): Promise<{ id: number }[]> {
  const keys = await heldKeys(db);
  if (keys.length === 0) return [];
  return [...(await withinLimits(db, keys, settings)), ...(await afterChanges(db, keys))];
}

/** Puts a task that was held off back in the queue; the claim looks again. */
export async function takeUpHeld(tx: Queryable, id: number): Promise<boolean> {
  const task = await lockTask(tx, id);
  if (task.pendingReason !== 'limit' && task.pendingReason !== 'change') return false;
  await moveTask(tx, id, { state: 'pending', pendingReason: 'repository', reason: WAITS });
  await arrangeQueue(tx, task.project);
  return true;
}

/** What some task is held by; as many steps in the index as there are such things. */
async function heldKeys(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ key: string }>({
    name: 'held-keys',
    text: `with recursive held (key) as (
        (select held_by from task where held_by is not null order by held_by limit 1)
        union all select (select held_by from task where held_by > held.key order by held_by limit 1) from held where held.key is not null)
      select key from held where key is not null`,
  });
  return rows.map(({ key }) => key);
}

async function withinLimits(
  db: Queryable,
  keys: string[],
  settings: RunLimitSettings,
): Promise<{ id: number }[]> {
  const counted = keys.filter((key) => !key.startsWith('change:'));
  if (counted.length === 0) return [];
  const { rows: projects } = await db.query<{ id: number; maxRuns: number }>(
    'select id, max_runs as "maxRuns" from project where max_runs is not null',
  );
  const own = new Map(projects.map(({ id, maxRuns }) => [`project:${id}`, maxRuns]));
  const active = await activeBy(db, ['running', 'queued']);
  const room = counted.map((key) => {
    const limit = own.get(key) ?? limitNamed(key, settings);
    return { key, free: Math.min(limit === undefined ? AT_ONCE : limit - (active.get(key) ?? 0), AT_ONCE) };
  });
  const free = room.filter((each) => each.free > 0);
  if (free.length === 0) return [];
  const { rows } = await db.query<{ id: number }>(
    `select first.id from unnest($1::text[], $2::int[]) room (key, free)
       cross join lateral (select id from task where held_by = room.key order by order_key, id limit room.free) first`,
    [free.map(({ key }) => key), free.map((each) => each.free)],
  );
  return rows;
}

// One at a time where changes are waited for: the next would wait for the change of this one.
async function afterChanges(db: Queryable, keys: string[]): Promise<{ id: number }[]> {
  const repositories = keys
    .filter((key) => key.startsWith('change:'))
    .map((key) => key.slice('change:'.length));
  if (repositories.length === 0) return [];
  const { rows } = await db.query<{ id: number }>(
    `select first.id from repository r join project p on p.id = r.project
       cross join lateral (select id, order_key from task where held_by = 'change:' || r.id order by order_key, id
         limit case p.after_change when 'wait' then 1 else ${AT_ONCE} end) first
     where r.id = any($1::bigint[]) and (p.after_change <> 'wait' or not exists (
       select from change where repository = r.id and state = 'open'
       union all select from repository_claim where repository = r.id and released_at is null
       union all select from task_repository w where w.repository = r.id and w.waiting and (w.order_key, w.task) < (first.order_key, first.id)))`,
    [repositories],
  );
  return rows;
}
