// What people ask of a model: rows that the supervisor answers, made and followed by API and CLI.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ModelAction, ModelCommand } from '../../../protocol/local-model.ts';
import type { Queryable } from '../../db/connect.ts';

type Row = Omit<ModelCommand, 'at'> & { at: Date };

const COLUMNS = 'id, model, action, actor, at, state, detail, remedy';
const told = (row: Row): ModelCommand => ({ ...row, at: row.at.toISOString() });

/** NOTIFY channel that wakes the supervisor. */
export const CHANNEL = 'models';

/** Asks for something; the supervisor of the gateway's process does it. */
export async function createCommand(
  db: Queryable,
  command: { model: string; action: ModelAction; actor: string },
): Promise<ModelCommand> {
  const { rows } = await db.query<Row>(
    `with made as (insert into model_command (model, action, actor) values ($1, $2, $3) returning ${COLUMNS})
     select ${COLUMNS} from made, pg_notify('${CHANNEL}', '')`,
    [command.model, command.action, command.actor],
  );
  return told(rows[0] as Row);
}

/** A command, with how far it is. */
export async function getCommand(db: Queryable, id: number): Promise<ModelCommand> {
  const { rows } = await db.query<Row>(`select ${COLUMNS} from model_command where id = $1`, [id]);
  if (rows[0] !== undefined) return told(rows[0]);
  throw new AutocodeError('ERR_NOT_FOUND', `There is no model command ${id}.`, {
    remedy: 'Its number is in the answer to the request that made it.',
  });
}

/** Those that are not answered, in the order in which they were asked. */
export async function waitingCommands(db: Queryable): Promise<ModelCommand[]> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS} from model_command where state = 'waiting' order by id`,
  );
  return rows.map(told);
}

export type Answer = Pick<ModelCommand, 'state' | 'detail'> & { remedy?: string | null };

/** Tells how far a command is, or ends it. */
export async function answerCommand(db: Queryable, id: number, answer: Answer): Promise<void> {
  await db.query(
    `update model_command set state = $2, detail = $3, remedy = $4, done_at = case when $2 = 'waiting' then null else now() end
     where id = $1`,
    [id, answer.state, answer.detail, answer.remedy ?? null],
  );
}
