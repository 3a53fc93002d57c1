// Changes as the database has them: list, show, close, mark merged. Used by the API and by merge.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Change } from '../../protocol/change.ts';
import type { Database, Queryable } from '../db/connect.ts';
import { transaction } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';

/** A change with where its repository is. */
export interface ChangeAtOrigin extends Change {
  repository: { id: number; origin: string };
}

interface ChangeRow extends Omit<Change, 'createdAt' | 'closedAt'> {
  createdAt: Date;
  closedAt: Date | null;
  repository: number;
  origin: string;
}

const SELECT = `select change.id, change.task, change.run, project.name as project, change.forge, change.branch,
    change.base_branch as "baseBranch", change.base_commit as "baseCommit", change.head_commit as "headCommit",
    change.title, change.body, change.state, change.url, change.created_at as "createdAt", change.closed_at as "closedAt",
    change.repository, repository.origin
  from change join repository on repository.id = change.repository join project on project.id = repository.project`;

/** Changes, newest first. */
export async function listChanges(
  db: Queryable,
  filter: {
    state?: Change['state'] | undefined;
    project?: string | undefined;
    limit?: number | undefined;
  } = {},
): Promise<Change[]> {
  const { rows } = await db.query<ChangeRow>(
    `${SELECT} where ($1::text is null or change.state = $1) and ($2::text is null or project.name = $2)
      order by change.id desc limit $3`,
    [filter.state ?? null, filter.project ?? null, filter.limit ?? 100],
  );
  return rows.map(shown);
}

/** One change; ERR_NOT_FOUND. */
export async function getChange(db: Queryable, id: number): Promise<Change> {
  return shown(await changeRow(db, id));
}

/** One change and where its repository is; ERR_NOT_FOUND. */
export async function changeAtOrigin(db: Queryable, id: number): Promise<ChangeAtOrigin> {
  return atOrigin(await changeRow(db, id));
}

async function changeRow(db: Queryable, id: number): Promise<ChangeRow> {
  const { rows } = await db.query<ChangeRow>(`${SELECT} where change.id = $1`, [id]);
  if (rows[0] !== undefined) return rows[0];
  throw new AutocodeError('ERR_NOT_FOUND', `There is no change ${id}.`, {
    remedy: 'See `autocode change list`.',
  });
}

/** All open changes, for the look whether somebody merged them. */
export async function openChanges(db: Queryable): Promise<ChangeAtOrigin[]> {
  const { rows } = await db.query<ChangeRow>(
    `${SELECT} where change.state = 'open' order by change.repository, change.id`,
  );
  return rows.map(atOrigin);
}

/** Closes an open change without merging it. Its branch stays. */
export async function closeChange(db: Database, id: number): Promise<Change> {
  if (!(await endChange(db, id, 'closed'))) {
    const { state } = await getChange(db, id);
    throw new AutocodeError('ERR_STATE', `The change ${id} is ${state} already.`);
  }
  return await getChange(db, id);
}

/** Ends an open change and tells it; false when it was not open. */
export async function endChange(
  db: Database,
  id: number,
  state: 'merged' | 'closed',
  head?: string,
): Promise<boolean> {
  return await transaction(db, async (tx) => {
    const { rows } = await tx.query<{ task: number; run: string; project: number; branch: string }>(
      `update change set state = $2, closed_at = now(), updated_at = now() from task
        where change.id = $1 and change.state = 'open' and task.id = change.task and ($3::text is null or head_commit = $3)
        returning change.task, change.run, task.project, change.branch`,
      [id, state, head ?? null],
    );
    if (rows[0] === undefined) return false;
    const { task, run, project, branch } = rows[0];
    await emit(tx, { kind: `change.${state}`, project, task, run, data: { change: id, branch } });
    return true;
  });
}

function shown({ repository: _repository, origin: _origin, createdAt, closedAt, ...row }: ChangeRow): Change {
  return { ...row, createdAt: createdAt.toISOString(), closedAt: closedAt?.toISOString() ?? null };
}

function atOrigin(row: ChangeRow): ChangeAtOrigin {
  return { ...shown(row), repository: { id: row.repository, origin: row.origin } };
}
