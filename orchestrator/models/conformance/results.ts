// The tests of models as they are kept: one row a test, begun before it and written to as its checks end. Used by
// model-tests.ts, by the roles and by the API.
import type { ModelTest } from '../../../protocol/local-model.ts';
import type { Queryable } from '../../db/connect.ts';

type Row = Omit<ModelTest, 'at'> & { at: Date };
const COLUMNS = 'id, model, agent, at, state, passed, checks, problem, remedy';

/** A test that has begun. */
export async function beginTest(db: Queryable, model: string, agent: string): Promise<ModelTest> {
  const { rows } = await db.query<Row>(
    `insert into model_test (model, agent) values ($1, $2) returning ${COLUMNS}`,
    [model, agent],
  );
  return shown(rows[0]!);
}

/** Adds checks that are over. */
export async function noteChecks(db: Queryable, id: number, checks: ModelTest['checks']): Promise<void> {
  await db.query(`update model_test set checks = checks || $2 where id = $1`, [id, JSON.stringify(checks)]);
}

/** The test is over: it is passed when all that was checked is. */
export async function endTest(db: Queryable, id: number): Promise<void> {
  await db.query(
    `update model_test set state = 'done', passed = not checks @> '[{"passed": false}]' where id = $1`,
    [id],
  );
}

/** The test could not be made. */
export async function failTest(
  db: Queryable,
  id: number,
  { problem, remedy }: { problem: string; remedy: string | undefined },
): Promise<void> {
  await db.query(`update model_test set state = 'failed', problem = $2, remedy = $3 where id = $1`, [
    id,
    problem,
    remedy ?? null,
  ]);
}

/** Ends the tests that a daemon left behind. Called at the start of the API, whose process makes all tests. */
export async function abandonTests(db: Queryable): Promise<void> {
  await db.query(
    `update model_test set state = 'failed', problem = 'The daemon ended during the test.', remedy = 'Test it again.'
     where state = 'running'`,
  );
}

/** Tests, the newest first. */
export async function listTests(
  db: Queryable,
  { model, limit }: { model?: string | undefined; limit: number },
): Promise<ModelTest[]> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS} from model_test where $1::text is null or model = $1 order by id desc limit $2`,
    [model ?? null, limit],
  );
  return rows.map(shown);
}

/** The newest test of a model with each agent that it was tested with. */
export async function latestTests(db: Queryable, model: string): Promise<ModelTest[]> {
  const { rows } = await db.query<Row>(
    `select distinct on (agent) ${COLUMNS} from model_test where model = $1 and state = 'done' order by agent, id desc`,
    [model],
  );
  return rows.map(shown);
}

const shown = (row: Row): ModelTest => ({ ...row, at: row.at.toISOString() });
