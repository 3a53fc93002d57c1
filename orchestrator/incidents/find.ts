// Which incident an alarm that fires belongs to. Costs the same however many incidents there were. Used by take.ts, and by
// intake, which asks whether a signal would open one.
import type { Queryable } from '../db/connect.ts';
import type { IncidentState } from '../../protocol/incident.ts';
import type { IncidentRules } from './rules.ts';
import type { Signal } from './signal.ts';

export interface FoundIncident {
  id: number;
  state: IncidentState;
  reopened: number;
}

/** So many incidents of each account are looked at, the newest ones. */
const NEWEST = 20;

/**
 * Signals are decided one after the other, in whichever process: two in one millisecond make one incident. Whoever changes an
 * incident holds this until its transaction ends, and takes it before any other lock.
 */
export async function lockIncidents(tx: Queryable): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('incidents', 0))`);
}

/** SQL for the incident that has an alarm's newest state: the alarm is told about in no other. */
export const incidentOfAlarm = (scope: string, subject: string) =>
  `(select incident from incident_alarm where scope = ${scope} and subject = ${subject} order by since desc, incident desc limit 1)`;

/** When a signal came to be, by its own word; what is yet to come is now. */
export async function timeOf(tx: Queryable, { at }: Pick<Signal, 'at'>): Promise<Date> {
  const { rows } = await tx.query<{ at: Date }>(
    'select least(coalesce($1::timestamptz, now()), now()) as at',
    [at],
  );
  return rows[0]!.at;
}

/**
 * Undefined: it is the first of a new one. Else the one in which this very alarm is not done with; one that goes on and has
 * another alarm of the account, or of one that is connected with it, near enough; or such a one that was resolved lately.
 */
export async function findIncident(
  tx: Queryable,
  { accounts, chainMinutes, reopenMinutes }: IncidentRules,
  { scope, subject, account }: Pick<Signal, 'scope' | 'subject' | 'account'>,
  at: Date,
): Promise<FoundIncident | undefined> {
  const { rows } = await tx.query<FoundIncident>({
    name: 'find-incident',
    text: `with own as ${incidentOfAlarm('$1', '$2')},
      near as (select incident from own
        union select coalesce(i.merged_into, i.id) from unnest($3::text[]) a (account) cross join lateral
          (select incident from incident_account where account = a.account order by incident desc limit ${NEWEST}) l
          join incident i on i.id = l.incident)
      select i.id, i.state, i.reopened from incident i join near on near.incident = i.id
      where case when i.state <> 'resolved' and i.id = (select incident from own) then true
        else $4 >= i.first_at - make_interval(secs => $5)
          and $4 <= case i.state when 'resolved' then i.resolved_at + make_interval(secs => $6)
            else i.last_at + make_interval(secs => $5) end end
      order by i.state = 'resolved', i.id = (select incident from own) desc, i.id desc limit 1`,
    values: [scope, subject, accounts.groupOf(account), at, chainMinutes * 60, reopenMinutes * 60],
  });
  return rows[0];
}
