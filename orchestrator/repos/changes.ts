// Changes as the database has them: list, show, close, mark merged. Used by the API and by merge.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Change } from '../../protocol/change.ts';
import type { MergeMethod } from '../../protocol/project.ts';
import type { Database, Queryable } from '../db/connect.ts';
import { transaction } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';

/** A change with where its repository is. */
export interface ChangeAtOrigin extends Omit<Change, 'repository'> {
  repository: { id: number; name: string; origin: string; forge: string };
  mergeMethod: MergeMethod | null;
}

interface ChangeRow extends Omit<Change, 'createdAt' | 'closedAt'> {
  createdAt: Date;
  closedAt: Date | null;
  repositoryId: number;
  origin: string;
  repositoryForge: string;
  mergeMethod: MergeMethod | null;
}

const SELECT = `select change.id, change.task, change.run, project.name as project, change.forge, change.branch,
    change.base_branch as "baseBranch", change.base_commit as "baseCommit", change.head_commit as "headCommit",
    change.title, change.body, change.state, change.number, change.url, change.forge_head as "forgeHead", change.trouble,
    change.review, change.reviews, change.mergeable, change.merge_reason as "mergeReason", change.draft,
    (select jsonb_build_object('passed', count(*) filter (where each -> 'head' ->> 'status' = 'passed'),
        'failed', count(*) filter (where each -> 'head' ->> 'status' <> 'passed'))
      from run, jsonb_array_elements(run.checks) each where run.id = change.run) as checks,
    change.onto, case when change.state = 'open' then change.follow ->> 'left' end as stuck, change.created_at as "createdAt", change.closed_at as "closedAt",
    repository.name as repository, repository.id as "repositoryId", repository.origin, repository.forge as "repositoryForge",
    project.merge_method as "mergeMethod"
  from change join repository on repository.id = change.repository join project on project.id = repository.project`;

/** Changes, newest first. */
export async function listChanges(
  db: Queryable,
  filter: {
    state?: Change['state'] | undefined;
    review?: Change['review'] | undefined;
    mergeable?: Change['mergeable'] | undefined;
    project?: string | undefined;
    projects?: number[] | undefined;
    limit?: number | undefined;
  } = {},
): Promise<Change[]> {
  const { rows } = await db.query<ChangeRow>(
    `${SELECT} where ($1::text is null or change.state = $1) and ($2::text is null or project.name = $2)
      and ($4::bigint[] is null or project.id = any($4)) and ($5::text is null or change.review = $5)
      and ($6::text is null or change.mergeable = $6)
      order by change.id desc limit $3`,
    [
      filter.state ?? null,
      filter.project ?? null,
      filter.limit ?? 100,
      filter.projects ?? null,
      filter.review ?? null,
      filter.mergeable ?? null,
    ],
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

/** All open changes, or those of some, for the look whether somebody merged them. */
export async function openChanges(db: Queryable, ids?: number[]): Promise<ChangeAtOrigin[]> {
  const { rows } = await db.query<ChangeRow>(
    `${SELECT} where change.state = 'open' and ($1::bigint[] is null or change.id = any($1)) order by change.repository, change.id`,
    [ids ?? null],
  );
  return rows.map(atOrigin);
}

/** Keeps why the forge could not be asked about changes; null: it could. */
export async function noteTrouble(db: Queryable, ids: number[], trouble: string | null): Promise<void> {
  await db.query(
    `update change set trouble = $2 where id = any($1) and state = 'open' and trouble is distinct from $2`,
    [ids, trouble],
  );
}

/** Open changes with this number at a forge whose branch is this. */
export async function changesAt(
  db: Queryable,
  forge: string,
  number: number,
  branch: string,
): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>(
    `select id from change where forge = $1 and number = $2 and branch = $3 and state = 'open'`,
    [forge, number, branch],
  );
  return rows.map((row) => row.id);
}

/** Open changes of a forge's repository, by its path there, that a push to a branch may concern. */
export async function changesOnBranch(
  db: Queryable,
  forge: string,
  { path, pushed }: { path: string; pushed: string },
): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>(
    `select change.id from change join repository on repository.id = change.repository
      where change.forge = $1 and change.state = 'open' and $3 in (change.branch, change.base_branch)
        and right(lower(regexp_replace(repository.origin, '(\\.git)?/*$', '')), length($2) + 1) in ('/' || lower($2), ':' || lower($2))`,
    [forge, path, pushed],
  );
  return rows.map((row) => row.id);
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
      `update change set state = $2, trouble = null, closed_at = now(), updated_at = now() from task
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

function shown(change: ChangeRow): Change {
  const {
    repositoryId: _id,
    origin: _origin,
    repositoryForge: _forge,
    mergeMethod: _method,
    ...row
  } = change;
  const { createdAt, closedAt } = row;
  return { ...row, createdAt: createdAt.toISOString(), closedAt: closedAt?.toISOString() ?? null };
}

function atOrigin(row: ChangeRow): ChangeAtOrigin {
  const { repository: name, ...change } = shown(row);
  return {
    ...change,
    repository: { id: row.repositoryId, name, origin: row.origin, forge: row.repositoryForge },
    mergeMethod: row.mergeMethod,
  };
}
