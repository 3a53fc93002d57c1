// What was decided, why, and what came of it: the record behind `model why`. Written by the supervisor, read by the API.
import type { ModelDecision } from '../../../protocol/local-model.ts';
import type { Queryable } from '../../db/connect.ts';

export type NewDecision = Pick<ModelDecision, 'model' | 'action' | 'reason'> & { gpus?: readonly number[] };

/** Records a decision; what is given back records its outcome. */
export async function recordDecision(
  db: Queryable,
  { model, action, reason, gpus = [] }: NewDecision,
): Promise<(outcome: string) => Promise<void>> {
  const { rows } = await db.query<{ id: number }>(
    'insert into model_decision (model, action, reason, gpus) values ($1, $2, $3, $4) returning id',
    [model, action, reason, JSON.stringify(gpus)],
  );
  return async (outcome) =>
    void (await db.query('update model_decision set outcome = $2 where id = $1', [rows[0]?.id, outcome]));
}

/** What a daemon that ended left under way is said to have been cut short. */
export async function settleInterrupted(db: Queryable): Promise<void> {
  await db.query(
    `update model_decision set outcome = 'the daemon ended meanwhile; what ran was adopted' where outcome is null`,
  );
}

/** Decisions about a model, newest first. */
export async function listDecisions(db: Queryable, model: string, limit: number): Promise<ModelDecision[]> {
  const { rows } = await db.query<ModelDecision & { at: Date }>(
    'select id, at, model, action, reason, gpus, outcome from model_decision where model = $1 order by id desc limit $2',
    [model, limit],
  );
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}
