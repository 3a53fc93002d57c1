// Tasks as cards of the board, by column; each answer is one query. Used by the API.
import {
  BOARD_COLUMNS,
  type Board,
  type BoardColumn,
  type BoardFilter,
  type Card,
} from '../../protocol/board.ts';
import type { Queryable } from '../db/connect.ts';

const COLUMN = `case when t.state = 'pending' then 'waiting' when t.state in ('queued', 'running', 'failed') then t.state
    when t.state = 'completed' and exists (select from change c where c.task = t.id and c.state = 'open') then 'review'
    else 'done' end`;

const CARD = `select t.id, p.name as project, t.title, ${COLUMN} as column, t.state, t.pending_reason as "pendingReason", t.reason,
    t.priority, t.kind, t.agent, t.model, t.attempt, t.source_name as source,
    case when t.state = 'running' then t.id || '-' || t.attempt end as "currentRun",
    coalesce((select jsonb_agg(jsonb_build_object('id', c.id, 'state', c.state, 'review', c.review,
        'mergeable', c.mergeable) order by c.id) from change c where c.task = t.id), '[]')
      as changes,
    t.order_key as place, t.created_by as "createdBy", t.created_at as "createdAt", t.updated_at as "updatedAt"
  from task t join project p on p.id = t.project`;

/** A filter, and the projects that whoever asks may see; all when left out. */
export type Narrowed = BoardFilter & { projects?: number[] | undefined };

type Row = Omit<Card, 'place' | 'createdAt' | 'updatedAt'> &
  Record<'place' | 'createdAt' | 'updatedAt', Date>;

/** The columns with how many tasks pass the filter, and the first cards of each; or those of some tasks. */
export async function getBoard(
  db: Queryable,
  { cards: limit, ids, ...filter }: Narrowed & { cards: number; ids?: number[] | undefined },
): Promise<Board['columns']> {
  const { where, values } = narrowed(filter);
  const { rows } = await db.query<{ column: BoardColumn; count: number }>(
    `select ${COLUMN} as column, count(*)::int from task t join project p on p.id = t.project where ${where} group by 1`,
    values,
  );
  const named = ids && (await listCards(db, { ...filter, ids, limit: ids.length }));
  return await Promise.all(
    BOARD_COLUMNS.map(async (column) => {
      const count = rows.find((row) => row.column === column)?.count ?? 0;
      if (named !== undefined)
        return { column, count, cards: named.filter((card) => card.column === column) };
      const cards = count === 0 || limit === 0 ? [] : await listCards(db, { ...filter, column, limit });
      return { column, count, cards };
    }),
  );
}

/** Cards that pass the filter: of a column, those queued in the order of the queue and others newest first; or those of some tasks. */
export async function listCards(
  db: Queryable,
  {
    column,
    before,
    ids,
    limit,
    ...filter
  }: Narrowed & {
    column?: BoardColumn | undefined;
    before?: number | undefined;
    ids?: number[] | undefined;
    limit: number;
  },
): Promise<Card[]> {
  const { where, values } = narrowed(filter);
  const conditions = [where];
  const narrow = (text: (place: string) => string, value: unknown) => {
    if (value !== undefined) conditions.push(text(`$${values.push(value)}`));
  };
  const queue = column === 'queued';
  narrow((place) => `${COLUMN} = ${place}`, column);
  narrow((place) => `t.id = any(${place})`, ids);
  narrow(
    (place) =>
      queue
        ? `(t.order_key, t.id) > (select order_key, id from task where id = ${place})`
        : `t.id < ${place}`,
    before,
  );
  values.push(limit);
  const { rows } = await db.query<Row>(
    `${CARD} where ${conditions.join(' and ')} order by ${queue ? 't.order_key, t.id' : 't.id desc'} limit $${values.length}`,
    values,
  );
  return rows.map((row) => ({
    ...row,
    place: row.place.toISOString(),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }));
}

function narrowed({ project, projects, agent, source, text }: Narrowed): {
  where: string;
  values: unknown[];
} {
  const conditions = ['true'];
  const values: unknown[] = [];
  if (project !== undefined) conditions.push(`p.name = $${values.push(project)}`);
  if (projects !== undefined) conditions.push(`t.project = any($${values.push(projects)})`);
  if (agent !== undefined) conditions.push(`t.agent = $${values.push(agent)}`);
  if (source !== undefined)
    conditions.push(
      `exists (select from intake_item i where i.task = t.id and i.source = $${values.push(source)})`,
    );
  const words = text?.trim() ?? '';
  if (words !== '') {
    const part = `%${words.replaceAll(/[\\%_]/g, '\\$&')}%`;
    const number = /^#?(\d{1,15})$/.exec(words)?.[1];
    const titled = `t.title ilike $${values.push(part)}`;
    conditions.push(number === undefined ? titled : `(${titled} or t.id = $${values.push(Number(number))})`);
  }
  return { where: conditions.join(' and '), values };
}
