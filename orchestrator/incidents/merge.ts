// Incidents that are one after all, by a person's word: one of them has all from then on, and the others point to it. Used by
// the API. Alarms that come meanwhile wait for the lock of incidents, and find what was merged.
import type { IncidentDetails } from '../../protocol/incident.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import { transaction, type Database, type Queryable } from '../db/connect.ts';
import { emitOf } from './announce.ts';
import { lockIncidents } from './find.ts';
import { joinInvestigations } from './join-investigations.ts';
import { getIncident } from './queries.ts';
import { settleWhenQuiet } from './take.ts';

/** Merges incidents into another; a repeated word changes nothing. ERR_STATE where one of them is merged elsewhere, or over. */
export async function mergeIncidents(
  db: Database,
  into: number,
  { from, actor, reason }: { from: number[]; actor: string; reason?: string | undefined },
): Promise<IncidentDetails> {
  if (from.includes(into))
    throw new AutocodeError('ERR_INVALID_INPUT', `Incident ${into} cannot be merged into itself.`, {
      remedy: 'Name it once, as the one that the others become part of.',
    });
  return await transaction(db, async (tx) => {
    await lockIncidents(tx);
    const target = await getIncident(tx, into);
    const others: IncidentDetails[] = [];
    for (const id of new Set(from)) others.push(await getIncident(tx, id));
    for (const other of others) refuse(other, target);
    const why = reason === undefined ? '' : ` (${reason})`;
    for (const { id, mergedInto } of others) {
      if (mergedInto !== null) continue;
      await mergeOne(tx, id, into, { actor, reason, why });
    }
    return await getIncident(tx, into);
  });
}

function refuse(other: IncidentDetails, target: IncidentDetails): void {
  if (target.mergedInto !== null) throw mergedAlready(target);
  if (other.mergedInto !== null && other.mergedInto !== target.id) throw mergedAlready(other);
  if (target.state !== 'resolved' || other.state === 'resolved' || other.state === 'merged') return;
  throw new AutocodeError(
    'ERR_STATE',
    `Incident ${target.id} is resolved, and incident ${other.id} goes on.`,
    {
      remedy: `Merge it the other way round (\`autocode incident merge ${target.id} ${other.id}\`), or reopen incident ${target.id} first.`,
    },
  );
}

/** It is part of another one. */
export function mergedAlready({ id, mergedInto }: { id: number; mergedInto: number | null }): AutocodeError {
  return new AutocodeError('ERR_STATE', `Incident ${id} was merged into incident ${mergedInto}.`, {
    remedy: `Say it of that one: \`autocode incident show ${mergedInto}\`.`,
  });
}

async function mergeOne(
  tx: Queryable,
  from: number,
  into: number,
  { actor, reason, why }: { actor: string; reason: string | undefined; why: string },
): Promise<void> {
  const fired = await fires(tx, [from, into]);
  const { first, goesOnHere } = await joinInvestigations(tx, from, into, {
    author: actor,
    text: `Incident ${from} was merged into incident ${into} by ${actor}${why}.`,
  });
  await moveAlarms(tx, from, into);
  await tx.query('update incident set merged_into = $2 where merged_into = $1', [from, into]);
  // What both were: open where one was, and over only where both are.
  await tx.query(
    `update incident i set first_at = least(i.first_at, f.first_at), last_at = greatest(i.last_at, f.last_at),
       state = case when f.state = 'open' then f.state else i.state end,
       quiet_at = case when 'open' in (i.state, f.state) then null else greatest(i.quiet_at, f.quiet_at) end,
       resolved_at = case when i.state = 'resolved' then greatest(i.resolved_at, f.resolved_at) end,
       needs_person = case when $3 then coalesce(i.needs_person, f.needs_person) else i.needs_person end
      from incident f where i.id = $2 and f.id = $1`,
    [from, into, goesOnHere],
  );
  await tx.query(
    `update incident set state = 'resolved', merged_into = $2, resolved_at = now(), resolved_by = $3, resolution = $4,
       quiet_at = coalesce(quiet_at, now()), needs_person = null where id = $1`,
    [from, into, actor, reason ?? null],
  );
  if (fired) await settleWhenQuiet(tx, into);
  await emitOf(tx, 'incident.merged', from, first, { into, by: actor, reason: reason ?? null });
}

async function fires(tx: Queryable, incidents: number[]): Promise<boolean> {
  const { rowCount } = await tx.query(
    'select from incident_alarm where incident = any($1) and firing limit 1',
    [incidents],
  );
  return rowCount === 1;
}

// An alarm that both have is one: as its newer state says, fired as often as both counted. The accounts stay the other's too: by
// them whatever would have joined it finds where it went.
async function moveAlarms(tx: Queryable, from: number, into: number): Promise<void> {
  await tx.query(
    `insert into incident_account (incident, account) select $2, account from incident_account where incident = $1
     on conflict do nothing`,
    [from, into],
  );
  await tx.query(
    `with gone as (delete from incident_alarm where incident = $1 returning *)
     insert into incident_alarm as known (incident, scope, subject, account, title, task, firing, fired, since)
       select $2, scope, subject, account, title, task, firing, fired, since from gone
     on conflict (scope, subject, incident) do update set fired = known.fired + excluded.fired,
       (account, title, task, firing, since) = (select newer.account, newer.title, newer.task, newer.firing, newer.since
          from (values (known.account, known.title, known.task, known.firing, known.since),
            (excluded.account, excluded.title, excluded.task, excluded.firing, excluded.since))
            newer (account, title, task, firing, since) order by newer.since desc limit 1)`,
    [from, into],
  );
}
