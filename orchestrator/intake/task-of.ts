// Which task an item belongs to: by its subject, by the pull request that it is about, or by the issue that a person made a
// task of. Used by act.ts.
import type { Queryable } from '../db/connect.ts';
import type { WorkItem } from './work-item.ts';

/** A task, and whether it has ended. */
export interface FoundTask {
  task: number;
  over: boolean;
}

const OVER = `task.state in ('completed', 'failed', 'cancelled') as over`;

/** The newest task that an item belongs to. */
export async function taskOf(
  tx: Queryable,
  scope: string,
  { subject, change, issue }: WorkItem,
  repository: number | undefined,
): Promise<FoundTask | undefined> {
  return (
    (change && repository !== undefined ? await taskOfChange(tx, repository, change) : undefined) ??
    (subject === null ? undefined : await taskOfSubject(tx, scope, subject)) ??
    (issue && repository !== undefined ? await taskOfIssue(tx, repository, issue.number) : undefined)
  );
}

async function taskOfChange(
  tx: Queryable,
  repository: number,
  change: NonNullable<WorkItem['change']>,
): Promise<FoundTask | undefined> {
  const [column, value] =
    'number' in change
      ? ['number', change.number]
      : 'branch' in change
        ? ['branch', change.branch]
        : ['head_commit', change.commit];
  const { rows } = await tx.query<FoundTask>(
    `select change.task, ${OVER} from change join task on task.id = change.task
      where change.repository = $1 and change.${column} = $2 order by change.id desc limit 1`,
    [repository, value],
  );
  return rows[0];
}

async function taskOfSubject(tx: Queryable, scope: string, subject: string): Promise<FoundTask | undefined> {
  const { rows } = await tx.query<FoundTask>({
    name: 'task-of-subject',
    text: `select task.id as task, ${OVER} from intake_item item join task on task.id = item.task
            where item.scope = $1 and item.subject = $2 and item.claims and item.verdict in ('created', 'duplicate')
            order by item.id desc limit 1`,
    values: [scope, subject],
  });
  return rows[0];
}

async function taskOfIssue(
  tx: Queryable,
  repository: number,
  number: number,
): Promise<FoundTask | undefined> {
  const { rows } = await tx.query<FoundTask>(
    `select task.id as task, ${OVER} from task where (source->>'repository')::bigint = $1 and (source->>'number')::bigint = $2
      order by id desc limit 1`,
    [repository, number],
  );
  return rows[0];
}
