// Rules: who is told what, and by which channels besides. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import type {
  NotificationRule,
  NotificationRulePatch,
  OwnNotificationRuleInput,
} from '../../protocol/notification.ts';
import { sqlState, type Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { latestCursor } from '../events/outbox.ts';

const MOST_RULES = 1_000;
const CHECK_VIOLATION = '23514';
const SELECT = `select n.id, p.name as person, q.name as project, n.kinds, n.channels, n.own_tasks as "ownTasks",
    n.created_by as "createdBy", n.created_at as made
  from notification_rule n left join person p on p.id = n.person left join project q on q.id = n.project`;

type Row = Omit<NotificationRule, 'createdAt'> & { made: Date };

/** All rules, or those of a person. */
export async function listRules(db: Queryable, person?: number): Promise<NotificationRule[]> {
  const { rows } = await db.query<Row>(
    `${SELECT} where $1::bigint is null or n.person = $1 order by n.id limit ${MOST_RULES}`,
    [person ?? null],
  );
  return rows.map(shown);
}

/** Makes a rule; with the first one the outbox begins to be read, from now on. */
export async function addRule(
  db: Queryable,
  input: OwnNotificationRuleInput & { person: number | null },
  by: string,
): Promise<NotificationRule> {
  return await withinTransaction(db, async (tx) => {
    await tx.query('lock table notification_rule in share row exclusive mode');
    const { rows: before } = await tx.query<{ count: number }>(
      'select count(*)::int as count from notification_rule',
    );
    const { count } = before[0]!;
    if (count >= MOST_RULES)
      throw new AutocodeError('ERR_CONFLICT', `There are ${MOST_RULES} rules already.`, {
        remedy: 'Remove some with `autocode notify unsubscribe`.',
      });
    if (count === 0)
      await tx.query(
        'insert into notification_cursor (cursor) values ($1) on conflict (one) do update set cursor = $1',
        [await latestCursor(tx)],
      );
    const project = input.project === null ? null : await projectNamed(tx, input.project);
    const { rows } = await tx
      .query<{ id: number }>(
        `insert into notification_rule (person, project, kinds, channels, own_tasks, created_by)
       values ($1, $2, $3, $4, $5, $6) returning id`,
        [input.person, project, [...new Set(input.kinds)], [...new Set(input.channels)], input.ownTasks, by],
      )
      .catch(asOfNobody);
    const { rows: made } = await tx.query<Row>(`${SELECT} where n.id = $1`, [rows[0]!.id]);
    return shown(made[0]!);
  });
}

/** Changes a rule, one of that person where one is given; what is left out stays. ERR_NOT_FOUND. */
export async function changeRule(
  db: Queryable,
  id: number,
  { project, kinds, channels, ownTasks }: NotificationRulePatch,
  person?: number,
): Promise<NotificationRule> {
  return await withinTransaction(db, async (tx) => {
    const { rowCount } = await tx
      .query(
        `update notification_rule set kinds = coalesce($3, kinds), channels = coalesce($4, channels),
         own_tasks = coalesce($7, own_tasks), project = case when $5 then $6::bigint else project end
       where id = $1 and ($2::bigint is null or person = $2)`,
        [
          id,
          person ?? null,
          kinds && [...new Set(kinds)],
          channels && [...new Set(channels)],
          project !== undefined,
          project == null ? null : await projectNamed(tx, project),
          ownTasks ?? null,
        ],
      )
      .catch(asOfNobody);
    if (rowCount === 0) throw ruleNotFound(id);
    const { rows } = await tx.query<Row>(`${SELECT} where n.id = $1`, [id]);
    return shown(rows[0]!);
  });
}

/** Removes a rule, one of that person where one is given; ERR_NOT_FOUND. */
export async function removeRule(db: Queryable, id: number, person?: number): Promise<void> {
  const { rowCount } = await db.query(
    'delete from notification_rule where id = $1 and ($2::bigint is null or person = $2)',
    [id, person ?? null],
  );
  if (rowCount === 0) throw ruleNotFound(id);
}

// The database knows which rules have a person.
function asOfNobody(error: unknown): never {
  if (sqlState(error) !== CHECK_VIOLATION) throw error;
  throw new AutocodeError('ERR_INVALID_INPUT', 'A rule of the installation has no tasks of its own.', {
    remedy: 'Name a person with it, or leave `ownTasks` out.',
  });
}

function ruleNotFound(id: number): AutocodeError {
  return new AutocodeError('ERR_NOT_FOUND', `There is no rule ${id}.`, {
    remedy: 'See `autocode notify rules`.',
  });
}

async function projectNamed(tx: Queryable, name: string): Promise<number> {
  const { rows } = await tx.query<{ id: number }>('select id from project where name = $1', [name]);
  if (rows[0] !== undefined) return rows[0].id;
  throw new AutocodeError('ERR_NOT_FOUND', `There is no project ${name}.`, {
    remedy: 'See `autocode project list`.',
  });
}

function shown({ made, ...rule }: Row): NotificationRule {
  return { ...rule, createdAt: made.toISOString() };
}
