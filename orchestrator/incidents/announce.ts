// Events about incidents. Used by whatever changes one.
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';

/** An event about an incident, of the project of its task. */
export async function emitOf(
  tx: Queryable,
  kind: `incident.${'opened' | 'appended' | 'resolved' | 'reopened' | 'merged' | 'needs-person'}`,
  incident: number,
  task: number,
  data: Record<string, unknown>,
): Promise<void> {
  const { rows } = await tx.query<{ project: number }>('select project from task where id = $1', [task]);
  await emit(tx, { kind, project: rows[0]!.project, task, data: { incident, ...data } });
}

/** Says why an incident needs a person; null takes it back. Said once, as long as it stays the same. */
export async function sayNeed(
  tx: Queryable,
  incident: number,
  task: number | null,
  reason: string | null,
): Promise<void> {
  const { rowCount } = await tx.query(
    'update incident set needs_person = $2 where id = $1 and needs_person is distinct from $2',
    [incident, reason],
  );
  if (rowCount === 1 && task !== null) await emitOf(tx, 'incident.needs-person', incident, task, { reason });
}
