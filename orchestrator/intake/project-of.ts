// Whose an item is that led to nothing: by what it says and where it came from. Used by decide.ts, and by approval.ts to see whether
// it still is.
import type { Queryable } from '../db/connect.ts';
import type { IncidentRules } from '../incidents/rules.ts';
import { repositoriesAt } from './repositories-at.ts';
import { signalOf } from './signal-of.ts';
import type { Source } from './source.ts';
import { taskOf } from './task-of.ts';
import type { WorkItem } from './work-item.ts';

/** The number of its project; null where nothing tells one. */
export async function projectOf(
  tx: Queryable,
  incidents: IncidentRules,
  { source, scope }: { source: Source; scope: string },
  item: WorkItem,
): Promise<number | null> {
  if (item.kind === 'signal') return await numberOf(tx, signalOf(source, scope, item, incidents).project);
  const at = item.place === undefined ? [] : await repositoriesAt(tx, source, item.place);
  const repository = at.every(({ project }) => project === at[0]!.project) ? at[0] : undefined;
  const found = item.kind === 'message' ? await taskOf(tx, scope, item, repository?.id) : undefined;
  if (found === undefined) return await numberOf(tx, item.project ?? repository?.project ?? source.project);
  const { rows } = await tx.query<{ project: number }>('select project from task where id = $1', [
    found.task,
  ]);
  return rows[0]!.project;
}

async function numberOf(tx: Queryable, project: string | null): Promise<number | null> {
  if (project === null) return null;
  const { rows } = await tx.query<{ id: number }>('select id from project where name = $1', [project]);
  return rows[0]?.id ?? null;
}
