// Takes a signal into its incident: the one place that says what becomes of an alarm that fires or is over. Used by intake, in
// the transaction that records what came, under `lockIncidents`.
import type { Queryable } from '../db/connect.ts';
import { emitOf } from './announce.ts';
import { findIncident, incidentOfAlarm, timeOf, type FoundIncident } from './find.ts';
import {
  beginInvestigation,
  goOnInvestigating,
  investigationOf,
  tellInvestigation,
  type InvestigationDeps,
  type Told,
} from './investigation.ts';
import type { Signal, Taken } from './signal.ts';

/** Decides about a signal. It may throw an AutocodeError where its project or repositories are not as configured. */
export async function takeSignal(tx: Queryable, deps: InvestigationDeps, signal: Signal): Promise<Taken> {
  const at = await timeOf(tx, signal);
  if (signal.state === 'resolved') return await takeOver(tx, signal, at);
  const project = signal.project;
  if (project === null)
    return ignored(
      `No project is known for the account ${signal.account}: name it in incidents.accounts of the configuration, or name one with the source.`,
    );
  const found = await findIncident(tx, deps.incidents, signal, at);
  const incident = found ?? (await openIncident(tx, signal.title, at));
  const told = await tellOf(tx, deps, { incident, found: found !== undefined, project, at }, signal);
  await noteAlarm(tx, incident.id, signal, at, told.task);
  await announce(tx, incident, found !== undefined, signal, told);
  return { ...told, incident: incident.id };
}

function ignored(reason: string, incident: number | null = null): Taken {
  return { verdict: 'ignored', reason, task: null, incident };
}

async function openIncident(tx: Queryable, title: string, at: Date): Promise<FoundIncident> {
  const { rows } = await tx.query<FoundIncident>(
    'insert into incident (title, first_at, last_at) values ($1, $2, $2) returning id, state, reopened',
    [title, at],
  );
  return rows[0]!;
}

async function tellOf(
  tx: Queryable,
  deps: InvestigationDeps,
  place: { incident: FoundIncident; found: boolean; project: string; at: Date },
  signal: Signal,
): Promise<Told> {
  const { incident, project, at } = place;
  const known = await investigationOf(tx, incident.id, project);
  if (known === undefined)
    return await beginInvestigation(tx, deps, { incident: incident.id, project, at }, signal);
  if (incident.state === 'resolved' || known.dropped)
    return await goOnInvestigating(tx, deps, place, known, signal);
  const worth = isWorthTelling((await firedBefore(tx, incident.id, signal)) + 1);
  const refused = worth ? await tellInvestigation(tx, known.task, signal) : null;
  const reason = refused ?? ((await goesOn(tx, known.task)) ? null : hasEnded(incident.id));
  return { verdict: 'appended', task: known.task, reason };
}

function hasEnded(incident: number): string {
  return `The investigation has ended: it is told to the next run, which \`autocode incident reopen ${incident}\` begins.`;
}

/** An alarm that comes and goes is told at its 1st to 3rd, 4th, 8th, 16th … time: an agent does not learn more of the others. */
export function isWorthTelling(fired: number): boolean {
  return fired <= 3 || Number.isInteger(Math.log2(fired));
}

async function firedBefore(
  tx: Queryable,
  incident: number,
  { scope, subject }: Pick<Signal, 'scope' | 'subject'>,
): Promise<number> {
  const { rows } = await tx.query<{ fired: number }>(
    'select fired from incident_alarm where scope = $1 and subject = $2 and incident = $3',
    [scope, subject, incident],
  );
  return rows[0]?.fired ?? 0;
}

async function noteAlarm(
  tx: Queryable,
  incident: number,
  { scope, subject, account, title }: Signal,
  at: Date,
  task: number,
): Promise<void> {
  await tx.query('insert into incident_account (incident, account) values ($1, $2) on conflict do nothing', [
    incident,
    account,
  ]);
  await tx.query(
    `insert into incident_alarm as known (incident, scope, subject, account, title, task, firing, since)
       values ($1, $2, $3, $4, $5, $6, true, $7)
     on conflict (scope, subject, incident) do update
       set firing = true, fired = known.fired + 1, since = excluded.since, title = excluded.title, task = excluded.task`,
    [incident, scope, subject, account, title, task, at],
  );
  await tx.query(
    `update incident set reopened = reopened + (state = 'resolved')::int, state = 'open', quiet_at = null, resolved_at = null,
       resolved_by = null, resolution = null, first_at = least(first_at, $2), last_at = greatest(last_at, $2) where id = $1`,
    [incident, at],
  );
}

async function announce(
  tx: Queryable,
  { id, state }: FoundIncident,
  found: boolean,
  { account, title }: Signal,
  { task }: Told,
): Promise<void> {
  const kind = !found ? 'incident.opened' : state === 'resolved' ? 'incident.reopened' : 'incident.appended';
  await emitOf(tx, kind, id, task, { account, alarm: title, state: 'firing' });
}

// The alarm is over. The agent at work is told; one whose run has ended has no use for it.
async function takeOver(tx: Queryable, signal: Signal, at: Date): Promise<Taken> {
  const { rows } = await tx.query<{ incident: number; task: number; fired: number; resolved: boolean }>(
    `update incident_alarm a set firing = false, since = $3 from incident i
      where i.id = a.incident and a.scope = $1 and a.subject = $2 and a.firing and a.incident = ${incidentOfAlarm('$1', '$2')}
      returning a.incident, a.task, a.fired, i.state = 'resolved' as resolved`,
    [signal.scope, signal.subject, at],
  );
  const alarm = rows[0];
  if (alarm === undefined) return ignored('It is over, and no incident goes on about it.');
  if (alarm.resolved) return ignored(`Incident ${alarm.incident} was resolved before.`, alarm.incident);
  const quiet = await settleWhenQuiet(tx, alarm.incident);
  const worth = isWorthTelling(alarm.fired) && (await goesOn(tx, alarm.task));
  const message = quiet
    ? `${signal.message}\n\nAll alarms of incident ${alarm.incident} are over now. It is to be found out all the same what it was.`
    : signal.message;
  const reason = worth ? await tellInvestigation(tx, alarm.task, { ...signal, message }) : null;
  const { account, title } = signal;
  await emitOf(tx, 'incident.appended', alarm.incident, alarm.task, {
    account,
    alarm: title,
    state: 'resolved',
  });
  return { verdict: 'appended', reason, task: alarm.task, incident: alarm.incident };
}

/** Begins to wait for more of an incident whose alarms are all over; whether it is so. */
export async function settleWhenQuiet(tx: Queryable, incident: number): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update incident set state = 'settling', quiet_at = now()
      where id = $1 and state = 'open' and not exists (select from incident_alarm where incident = $1 and firing)`,
    [incident],
  );
  return rowCount === 1;
}

async function goesOn(tx: Queryable, task: number): Promise<boolean> {
  const { rowCount } = await tx.query(
    `select from task where id = $1 and state in ('pending', 'queued', 'running')`,
    [task],
  );
  return rowCount === 1;
}
