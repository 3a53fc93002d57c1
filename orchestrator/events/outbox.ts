// The outbox: what happened, written in the transaction that made it happen, read by cursor or followed live.
// The front door of this folder, used by every part that changes state and by the API.
import type { EventKind } from '../../protocol/event.ts';
import type { Queryable } from '../db/connect.ts';

export { followEvents } from './follow.ts';
export { latestCursor, readEvents } from './read.ts';

/** What an event says; ids name what it is about. */
export interface EventInput {
  kind: EventKind;
  project?: number;
  task?: number;
  run?: string;
  data?: Record<string, unknown>;
}

/** Records an event and wakes the readers, both when the surrounding transaction commits. */
export async function emit(db: Queryable, { kind, project, task, run, data }: EventInput): Promise<void> {
  await db.query({
    name: 'emit-event',
    text: `with written as (insert into event (kind, project, task, run, data) values ($1, $2, $3, $4, $5))
           select pg_notify('event', '')`,
    values: [kind, project ?? null, task ?? null, run ?? null, JSON.stringify(data ?? {})],
  });
}
