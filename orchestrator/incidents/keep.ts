// What happens to incidents by themselves: those that stay quiet are resolved, and an investigation of them that has not begun is
// cancelled; those whose investigation failed want a person. A chore of the scheduler (daemon/intake.ts).
import { transaction, type Database, type Queryable } from '../db/connect.ts';
import { arrangeQueue, lockTask } from '../tasks/queue.ts';
import { moveTask } from '../tasks/task-state.ts';
import { emitOf, sayNeed } from './announce.ts';
import { lockIncidents } from './find.ts';
import type { IncidentRules } from './rules.ts';

/** Does what is due; each step goes on where a crash left it. */
export async function keepIncidents(
  db: Database,
  { settleMinutes }: Pick<IncidentRules, 'settleMinutes'>,
): Promise<void> {
  const { rowCount } = await db.query(`select from incident where state <> 'resolved' limit 1`);
  if (rowCount === 0) return;
  await transaction(db, async (tx) => {
    await lockIncidents(tx);
    await resolveQuiet(tx, settleMinutes);
    await noteFailures(tx);
  });
}

async function resolveQuiet(tx: Queryable, settleMinutes: number): Promise<void> {
  const { rows } = await tx.query<{ id: number }>(
    `update incident set state = 'resolved', resolved_at = now(), needs_person = null
      where state = 'settling' and quiet_at <= now() - make_interval(secs => $1) returning id`,
    [settleMinutes * 60],
  );
  for (const { id } of rows) {
    const tasks = await dropUnbegun(tx, id, 'Resolved by itself: all alarms of its incident were over.');
    await emitOf(tx, 'incident.resolved', id, tasks[0]!, { by: null });
  }
}

/** Cancels the investigations of an incident of which no run has begun; all tasks that it has, the first one first. */
export async function dropUnbegun(tx: Queryable, incident: number, reason: string): Promise<number[]> {
  const { rows } = await tx.query<{ task: number }>(
    'select task from incident_task where incident = $1 order by task',
    [incident],
  );
  for (const { task } of rows) {
    const { state, attempt, project } = await lockTask(tx, task);
    if (attempt > 0 || (state !== 'pending' && state !== 'queued')) continue;
    await moveTask(tx, task, { state: 'cancelled', reason });
    await tx.query('update incident_task set dropped_at = now() where task = $1', [task]);
    await arrangeQueue(tx, project);
  }
  return rows.map(({ task }) => task);
}

// Said once. A task that is tried again, or done by now, takes it back.
async function noteFailures(tx: Queryable): Promise<void> {
  const { rows } = await tx.query<{ id: number; task: number | null; why: string | null }>(
    `select i.id, f.task, f.why from incident i left join lateral (
         select t.id as task, 'Task ' || t.id || ' failed' || coalesce(': ' || t.reason, '.') as why
           from incident_task own join task t on t.id = own.task
          where own.incident = i.id and t.state = 'failed' and not own.superseded
            and not exists (select from incident_task later where later.incident = i.id and later.project = own.project
              and later.task > own.task and not later.superseded)
          order by t.id limit 1) f on true
      where i.state <> 'resolved' and f.why is distinct from i.needs_person
        and (f.task is not null or i.needs_person like 'Task % failed%')`,
  );
  for (const { id, task, why } of rows) await sayNeed(tx, id, task, why);
}
