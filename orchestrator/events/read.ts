// Reads the outbox without gaps. Serial ids commit out of order, so readers go by (transaction, id) and stop below
// the oldest open transaction: one that stays open, in any database of the server, delays readers; it never makes
// them skip an event.
import type { Event, EventKind } from '../../protocol/event.ts';
import type { Queryable } from '../db/connect.ts';
import { formatCursor, parseCursor } from './cursor.ts';

/** Which events are wanted; what is left out does not filter. */
export interface EventFilter {
  project?: number | undefined;
  /** Those of which whoever asks may know; events of no project are of none of them. */
  projects?: readonly number[] | undefined;
  task?: number | undefined;
  run?: string | undefined;
  kinds?: readonly EventKind[] | undefined;
}

interface EventRow {
  xid: string;
  id: string;
  at: Date;
  kind: EventKind;
  project: number | null;
  task: number | null;
  run: string | null;
  data: Record<string, unknown>;
}

/** Events after the cursor (from the beginning without one), oldest first, at most `limit`. */
export async function readEvents(
  db: Queryable,
  { after, limit, filter = {} }: { after: string | null; limit: number; filter?: EventFilter },
): Promise<Event[]> {
  const from = after === null ? { xid: '0', id: '0' } : parseCursor(after);
  const values: unknown[] = [from.xid, from.id, limit];
  const conditions = ['(xid, id) > ($1::xid8, $2::bigint)', 'xid < pg_snapshot_xmin(pg_current_snapshot())'];
  const narrow = (condition: string, value: unknown) => {
    if (value !== undefined) conditions.push(`${condition}$${values.push(value)})`);
  };
  narrow('(project = ', filter.project);
  narrow('project = any(', filter.projects);
  narrow('(task = ', filter.task);
  narrow('(run = ', filter.run);
  narrow('kind = any(', filter.kinds);
  const { rows } = await db.query<EventRow>(
    // Ordered by the columns, not by the texts of the same names in the answer.
    `select xid::text, id::text, at, kind, project, task, run, data from event
     where ${conditions.join(' and ')} order by event.xid, event.id limit $3`,
    values,
  );
  return rows.map(({ xid, id, at, ...event }) => ({
    ...event,
    id: formatCursor({ xid, id }),
    at: at.toISOString(),
  }));
}

/** The place after everything that can be read now. */
export async function latestCursor(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ xmin: string }>(
    'select pg_snapshot_xmin(pg_current_snapshot())::text as xmin',
  );
  return formatCursor({ xid: rows[0]!.xmin, id: '0' });
}

/** Whether a filter lets an event through; says the same as the query. */
export function matches(event: Event, { project, projects, task, run, kinds }: EventFilter): boolean {
  return (
    (project === undefined || event.project === project) &&
    (projects === undefined || (event.project !== null && projects.includes(event.project))) &&
    (task === undefined || event.task === task) &&
    (run === undefined || event.run === run) &&
    (kinds === undefined || kinds.includes(event.kind))
  );
}
