// What came and what became of it: the log, one delivery, whole or as far as they are of some projects; a delivery looked at again.
// Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import type { IntakeDelivery, Verdict } from '../../protocol/intake.ts';
import type { Queryable } from '../db/connect.ts';

export interface LogFilter {
  source?: string | undefined;
  state?: IntakeDelivery['state'] | undefined;
  verdict?: Verdict | undefined;
  task?: number | undefined;
  before?: number | undefined;
  limit: number;
  /** Whose are told of; all when left out. */
  projects?: number[] | undefined;
}

// `$1` is whose projects are told of, null for all: of others only the number of items is. What has no items is its source's.
const ALL = '$1::bigint[] is null';
const IS_OWN = `(${ALL} or i.project = any($1))`;
const OF_SOURCE =
  'select p.name from intake_source s join project p on p.id = s.project where s.name = d.source';
const SELECT = `select d.id, d.source, d.delivery, d.via, d.event, encode(d.sha256, 'hex') as sha256, d.state, d.attempts, d.repeats,
    d.reason, to_jsonb(d.received_at at time zone 'UTC') #>> '{}' || 'Z' as "receivedAt", d.sealed is not null as kept,
    (${OF_SOURCE}) as project, own.items, own.others
  from intake_delivery d cross join lateral (
    select (count(*) filter (where not ${IS_OWN} is true))::int as others, coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'delivery', i.delivery, 'source', i.source, 'key', i.key,
        'subject', i.subject, 'actor', i.actor, 'title', i.title, 'verdict', i.verdict, 'reason', i.reason, 'task', i.task, 'incident', i.incident,
        'project', (select name from project where id = i.project),
        'unanswered', (select trouble from intake_answer a where a.task = i.task and i.verdict = 'created'),
        'at', to_jsonb(i.created_at at time zone 'UTC') #>> '{}' || 'Z') order by i.id)
        filter (where ${IS_OWN}), '[]') as items
    from intake_item i where i.delivery = d.id) own
  where (${ALL} or d.id in (select delivery from intake_item where project = any($1))
    or d.source in (select name from intake_source where project = any($1)) and not exists (select from intake_item i where i.delivery = d.id))`;

/** Deliveries, newest first. */
export async function listDeliveries(db: Queryable, filter: LogFilter): Promise<IntakeDelivery[]> {
  const { rows } = await db.query<IntakeDelivery>(
    `${SELECT} and ($2::text is null or d.source = $2) and ($3::text is null or d.state = $3)
       and ($4::text is null or exists (select from intake_item i where i.delivery = d.id and i.verdict = $4 and ${IS_OWN}))
       and ($5::bigint is null or d.id < $5)
       and ($6::bigint is null or d.id in (select i.delivery from intake_item i where i.task = $6 and ${IS_OWN}))
     order by d.id desc limit $7`,
    [
      filter.projects ?? null,
      filter.source ?? null,
      filter.state ?? null,
      filter.verdict ?? null,
      filter.before ?? null,
      filter.task ?? null,
      filter.limit,
    ],
  );
  return rows;
}

/** One delivery, as far as it is of the projects; ERR_NOT_FOUND where nothing is. */
export async function getDelivery(db: Queryable, id: number, projects?: number[]): Promise<IntakeDelivery> {
  const { rows } = await db.query<IntakeDelivery>(`${SELECT} and d.id = $2`, [projects ?? null, id]);
  if (rows[0] !== undefined) return rows[0];
  throw new AutocodeError('ERR_NOT_FOUND', `There is no delivery ${id}.`, {
    remedy: 'See `autocode intake log`.',
  });
}

/** Has a delivery worked on again: what it led to stays, what was ignored or could not be read is decided anew. */
export async function replayDelivery(db: Queryable, id: number): Promise<IntakeDelivery> {
  const delivery = await getDelivery(db, id);
  if (!delivery.kept) {
    throw new AutocodeError('ERR_STATE', `The body of delivery ${id} is not kept any more.`, {
      remedy: 'Have its source send it again. How long bodies are kept is retention.intakeDays.',
    });
  }
  await db.query(
    `update intake_delivery set state = 'waiting', attempts = 0, reason = null, not_before = now()
      where id = $1 and state <> 'waiting'`,
    [id],
  );
  return await getDelivery(db, id);
}
