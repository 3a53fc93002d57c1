// Incidents as the API shows them. Used by the API and, after a change, by word-of-a-person.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Incident, IncidentDetails, IncidentState } from '../../protocol/incident.ts';
import type { Queryable } from '../db/connect.ts';

const INCIDENT = `select i.id, i.state, i.title,
    (select coalesce(jsonb_agg(c.account order by c.account), '[]') from incident_account c where c.incident = i.id) as accounts,
    a.alarms, a.firing, a.fired,
    (select coalesce(jsonb_agg(jsonb_build_object('task', t.id, 'project', p.name, 'state', t.state, 'dropped', own.dropped_at is not null)
        order by t.id), '[]')
      from incident_task own join task t on t.id = own.task join project p on p.id = own.project where own.incident = i.id) as tasks,
    i.needs_person as "needsPerson", i.reopened, i.first_at as "firstAt", i.last_at as "lastAt", i.quiet_at as "quietAt",
    i.resolved_at as "resolvedAt", i.resolved_by as "resolvedBy", i.resolution
  from incident i cross join lateral (
    select count(*)::int as alarms, (count(*) filter (where firing))::int as firing, coalesce(sum(fired), 0)::int as fired
    from incident_alarm where incident = i.id) a`;

type Times = 'firstAt' | 'lastAt' | 'quietAt' | 'resolvedAt';
type Row = Omit<Incident, Times> & {
  firstAt: Date;
  lastAt: Date;
  quietAt: Date | null;
  resolvedAt: Date | null;
};

/** Newest first; `before` is the number of the last one seen. */
export async function listIncidents(
  db: Queryable,
  want: {
    state?: IncidentState | undefined;
    account?: string | undefined;
    limit: number;
    before?: number | undefined;
  },
): Promise<Incident[]> {
  const { rows } = await db.query<Row>(
    `${INCIDENT} where ($1::text is null or i.state = $1) and ($3::bigint is null or i.id < $3)
       and ($2::text is null or exists (select from incident_account c where c.account = $2 and c.incident = i.id))
     order by i.id desc limit $4`,
    [want.state ?? null, want.account ?? null, want.before ?? null, want.limit],
  );
  return rows.map(shown);
}

/** One with its alarms and what was found; ERR_NOT_FOUND. */
export async function getIncident(db: Queryable, id: number): Promise<IncidentDetails> {
  const { rows } = await db.query<Row>(`${INCIDENT} where i.id = $1`, [id]);
  if (rows[0] === undefined)
    throw new AutocodeError('ERR_NOT_FOUND', `There is no incident ${id}.`, {
      remedy: 'See `autocode incident list`.',
    });
  const alarms = await db.query<Omit<IncidentDetails['alarmList'][number], 'since'> & { since: Date }>(
    'select title, account, task, firing, fired, since from incident_alarm where incident = $1 order by since, subject',
    [id],
  );
  const reports = await db.query<Omit<IncidentDetails['reports'][number], 'at'> & { at: Date }>(
    `select r.task, r.id as run, r.finished_at as at, r.report from incident_task own join run r on r.task = own.task
      where own.incident = $1 and r.report is not null and r.finished_at is not null order by r.finished_at`,
    [id],
  );
  return {
    ...shown(rows[0]),
    alarmList: alarms.rows.map((row) => ({ ...row, since: row.since.toISOString() })),
    reports: reports.rows.map((row) => ({ ...row, at: row.at.toISOString() })),
  };
}

function shown(row: Row): Incident {
  return {
    ...row,
    firstAt: row.firstAt.toISOString(),
    lastAt: row.lastAt.toISOString(),
    quietAt: row.quietAt?.toISOString() ?? null,
    resolvedAt: row.resolvedAt?.toISOString() ?? null,
  };
}
