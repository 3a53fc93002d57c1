// A person's word about an incident: it is resolved, whatever its alarms say, or it is to be investigated again. Used by the API.
import type { IncidentDetails } from '../../protocol/incident.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import { transaction, type Database, type Queryable } from '../db/connect.ts';
import { insertMessage } from '../tasks/messages.ts';
import { arrangeQueue, lockTask, WAITS } from '../tasks/queue.ts';
import { ENDED_TASK_STATES, moveTask } from '../tasks/task-state.ts';
import { emitOf } from './announce.ts';
import { lockIncidents } from './find.ts';
import { dropUnbegun } from './keep.ts';
import { mergedAlready } from './merge.ts';
import { getIncident } from './queries.ts';

/** Resolves it; a run that is at work is told and goes on to its report. ERR_STATE when it is resolved. */
export async function resolveIncident(
  db: Database,
  id: number,
  { actor, reason }: { actor: string; reason?: string | undefined },
): Promise<IncidentDetails> {
  return await transaction(db, async (tx) => {
    const { state } = await locked(tx, id);
    if (state === 'resolved') throw already(id, 'resolved');
    await tx.query(
      `update incident set state = 'resolved', resolved_at = now(), quiet_at = coalesce(quiet_at, now()), resolved_by = $2,
         resolution = $3, needs_person = null where id = $1`,
      [id, actor, reason ?? null],
    );
    const tasks = await dropUnbegun(tx, id, `${actor} resolved its incident before it began.`);
    const text = `Incident ${id} is resolved${reason === undefined ? '.' : `: ${reason}`} Finish the report with what is known.`;
    for (const task of tasks) {
      const found = await lockTask(tx, task);
      if (found.state === 'running') await insertMessage(tx, found, { author: actor, text });
    }
    await emitOf(tx, 'incident.resolved', id, tasks[0]!, { by: actor, reason: reason ?? null });
    return await getIncident(tx, id);
  });
}

/** Opens it and gives its last task another run; ERR_STATE when it goes on, or its change is not decided about. */
export async function reopenIncident(
  db: Database,
  id: number,
  { actor, reason }: { actor: string; reason?: string | undefined },
): Promise<IncidentDetails> {
  return await transaction(db, async (tx) => {
    const { task } = await locked(tx, id);
    const found = await lockTask(tx, task);
    if (!ENDED_TASK_STATES.includes(found.state)) throw already(id, 'being investigated');
    await refuseWhenMerged(tx, task);
    await tx.query(
      `update incident set reopened = reopened + (state = 'resolved')::int, state = 'open', quiet_at = null, resolved_at = null,
         resolved_by = null, resolution = null, needs_person = null where id = $1`,
      [id],
    );
    await tx.query('update incident_task set dropped_at = null where task = $1', [task]);
    const text = `Investigate incident ${id} again${reason === undefined ? '.' : `: ${reason}`}`;
    await insertMessage(tx, found, { author: actor, text });
    await moveTask(tx, task, { state: 'pending', pendingReason: 'repository', reason: WAITS, retries: {} });
    await arrangeQueue(tx, found.project);
    await emitOf(tx, 'incident.reopened', id, task, { by: actor, reason: reason ?? null });
    return await getIncident(tx, id);
  });
}

async function refuseWhenMerged(tx: Queryable, task: number): Promise<void> {
  const { rows } = await tx.query<{ id: number }>(
    `select id from change where task = $1 and state = 'merged' limit 1`,
    [task],
  );
  if (rows[0] === undefined) return;
  throw new AutocodeError(
    'ERR_STATE',
    `Task ${task} of the incident has brought change ${rows[0].id}, which is merged.`,
    { remedy: 'Add a new task for what is left to do: `autocode task add`.' },
  );
}

async function locked(tx: Queryable, id: number): Promise<{ state: string; task: number }> {
  await lockIncidents(tx);
  const { state, tasks, mergedInto } = await getIncident(tx, id);
  if (mergedInto !== null) throw mergedAlready({ id, mergedInto });
  return { state, task: tasks.findLast(({ superseded }) => !superseded)!.task };
}

function already(id: number, what: string): AutocodeError {
  return new AutocodeError('ERR_STATE', `Incident ${id} is ${what} already.`, {
    remedy: `See \`autocode incident show ${id}\`.`,
  });
}
