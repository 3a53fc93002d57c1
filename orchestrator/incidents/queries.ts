// Incidents as the API shows them: whole, or as far as they are of some projects. Used by the API and, after a change, by
// word-of-a-person.ts and merge.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Incident, IncidentDetails, IncidentState } from '../../protocol/incident.ts';
import type { Queryable } from '../db/connect.ts';

// `$1` is whose projects are told of, null for all: of others only their number is. One that was merged is shown with what the
// other one has.
const ALL = '$1::bigint[] is null';
const IS_OWN = (project: string) => `(${ALL} or ${project} = any($1))`;
const INCIDENT = `select i.id, case when i.merged_into is null then i.state else 'merged' end as state,
    i.merged_into as "mergedInto", case when ${ALL} then i.title else coalesce(a.title, '') end as title,
    case when ${ALL}
      then (select coalesce(jsonb_agg(c.account order by c.account), '[]') from incident_account c where c.incident = i.id)
      else a.accounts end as accounts,
    a.alarms, a.firing, a.fired, own.tasks, own.others, i.needs_person as "needsPerson", i.reopened, i.first_at as "firstAt",
    i.last_at as "lastAt", i.quiet_at as "quietAt", i.resolved_at as "resolvedAt", i.resolved_by as "resolvedBy", i.resolution
  from incident i cross join lateral (
    select count(*)::int as alarms, (count(*) filter (where alarm.firing))::int as firing, coalesce(sum(alarm.fired), 0)::int as fired,
      (array_agg(alarm.title order by alarm.since, alarm.subject))[1] as title, coalesce(jsonb_agg(distinct alarm.account), '[]') as accounts
    from incident_alarm alarm join task t on t.id = alarm.task where alarm.incident = coalesce(i.merged_into, i.id) and ${IS_OWN('t.project')}) a
  cross join lateral (
    select (count(*) filter (where not ${IS_OWN('part.project')}))::int as others, coalesce(jsonb_agg(jsonb_build_object(
        'task', t.id, 'project', p.name, 'state', t.state, 'dropped', part.dropped_at is not null, 'superseded', part.superseded) order by t.id)
        filter (where ${IS_OWN('part.project')}), '[]') as tasks
    from incident_task part join task t on t.id = part.task join project p on p.id = part.project where part.incident = coalesce(i.merged_into, i.id)) own
  where (${ALL} or own.tasks <> '[]')`;

type Times = 'firstAt' | 'lastAt' | 'quietAt' | 'resolvedAt';
type Row = Omit<Incident, Times> & {
  firstAt: Date;
  lastAt: Date;
  quietAt: Date | null;
  resolvedAt: Date | null;
};

/** Newest first; `before` is the number of the last one seen, `projects` whose are told of, all when left out. */
export async function listIncidents(
  db: Queryable,
  want: {
    state?: IncidentState | undefined;
    account?: string | undefined;
    limit: number;
    before?: number | undefined;
    projects?: number[] | undefined;
  },
): Promise<Incident[]> {
  const { rows } = await db.query<Row>(
    `select * from (${INCIDENT}) found where ($2::text is null or state = $2) and ($4::bigint is null or id < $4)
       and ($3::text is null or accounts ? $3) order by id desc limit $5`,
    [want.projects ?? null, want.state ?? null, want.account ?? null, want.before ?? null, want.limit],
  );
  return rows.map(shown);
}

/** One with its alarms and what was found, as far as they are of the projects; ERR_NOT_FOUND where nothing is. */
export async function getIncident(db: Queryable, id: number, projects?: number[]): Promise<IncidentDetails> {
  const { rows } = await db.query<Row>(`${INCIDENT} and i.id = $2`, [projects ?? null, id]);
  if (rows[0] === undefined)
    throw new AutocodeError('ERR_NOT_FOUND', `There is no incident ${id}.`, {
      remedy: 'See `autocode incident list`.',
    });
  const asked = [projects ?? null, rows[0].mergedInto ?? id];
  const alarms = await db.query<Omit<IncidentDetails['alarmList'][number], 'since'> & { since: Date }>(
    `select alarm.title, alarm.account, task, firing, fired, since from incident_alarm alarm join task t on t.id = alarm.task
      where incident = $2 and ${IS_OWN('t.project')} order by since, subject`,
    asked,
  );
  const reports = await db.query<Omit<IncidentDetails['reports'][number], 'at'> & { at: Date }>(
    `select r.task, r.id as run, r.finished_at as at, r.report from incident_task own join run r on r.task = own.task
      where own.incident = $2 and ${IS_OWN('own.project')} and r.report is not null and r.finished_at is not null
      order by r.finished_at`,
    asked,
  );
  const merged = await db.query<{ id: number }>(
    'select id from incident where merged_into = $1 order by id',
    [id],
  );
  return {
    ...shown(rows[0]),
    mergedFrom: merged.rows.map((row) => row.id),
    alarmList: alarms.rows.map((row) => ({ ...row, since: row.since.toISOString() })),
    reports: reports.rows.map((row) => ({ ...row, at: row.at.toISOString() })),
  };
}

function shown(row: Row): Incident {
  return {
    ...row,
    // The reason may be the failure of a task that is not theirs.
    needsPerson: row.needsPerson !== null && row.others > 0 ? 'Nobody works on all of it.' : row.needsPerson,
    firstAt: row.firstAt.toISOString(),
    lastAt: row.lastAt.toISOString(),
    quietAt: row.quietAt?.toISOString() ?? null,
    resolvedAt: row.resolvedAt?.toISOString() ?? null,
  };
}
