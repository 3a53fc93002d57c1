// Turns the outbox into inboxes and deliveries, by the rules: in one transaction with the place up to which it was read, so that
// each event is told once whatever ends in between. A chore of the scheduler (daemon/notifications.ts).
import type { Event } from '../../protocol/event.ts';
import { RIGHTS, roleIn, type Rights } from '../access/rights.ts';
import { transaction, type Database, type Queryable } from '../db/connect.ts';
import { emit, readEvents } from '../events/outbox.ts';
import { told } from './wording.ts';

const PAGE = 200;

interface Rule {
  person: number | null;
  project: number | null;
  kinds: string[];
  channels: string[];
  rights: Rights | null;
}

/** Reads what is new and tells it; how many events were looked at. */
export async function takeEvents(db: Database, signal: AbortSignal): Promise<number> {
  let count = 0;
  for (let taken = PAGE; taken === PAGE && !signal.aborted; count += taken) taken = await takePage(db);
  return count;
}

async function takePage(db: Database): Promise<number> {
  return await transaction(db, async (tx) => {
    const { rows } = await tx.query<{ cursor: string }>('select cursor from notification_cursor for update');
    const cursor = rows[0]?.cursor;
    if (cursor === undefined) return 0;
    const events = await readEvents(tx, { after: cursor, limit: PAGE });
    if (events.length === 0) return 0;
    const rules = await rulesNow(tx);
    for (const event of rules.length === 0 ? [] : events) await take(tx, event, rules);
    await tx.query('update notification_cursor set cursor = $1', [events.at(-1)!.id]);
    return events.length;
  });
}

// Whoever is disabled is told nothing.
async function rulesNow(tx: Queryable): Promise<Rule[]> {
  const { rows } = await tx.query<Rule>(
    `select n.person, n.project, n.kinds, n.channels, case when p.id is not null then ${RIGHTS} end as rights
     from notification_rule n left join person p on p.id = n.person where p.disabled_at is null`,
  );
  return rows;
}

async function take(tx: Queryable, event: Event, rules: Rule[]): Promise<void> {
  // The kind alone needs no names: most events end here.
  const kind = told({ event, projectName: null, taskTitle: null })?.kind;
  const wanted = rules.filter((rule) => kind !== undefined && wants(rule, kind, event.project));
  if (wanted.length === 0) return;
  const { rows } = await tx.query<{ projectName: string | null; taskTitle: string | null }>(
    `select (select name from project where id = $1) as "projectName", (select title from task where id = $2) as "taskTitle"`,
    [event.project, event.task],
  );
  const names = rows[0]!;
  const words = told({ event, ...names })!;
  const { kind: ofKind, title, body, path } = words;
  const values = [
    event.id,
    ofKind,
    names.projectName && event.project,
    event.task,
    title,
    body,
    path,
    event.at,
  ];
  for (const person of new Set(wanted.map((rule) => rule.person)))
    await tx.query(
      `insert into notification (event, kind, project, task, title, body, path, at, person)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
      [...values, person],
    );
  await emit(tx, {
    kind: 'notification.told', // open pages look into their inboxes
    ...(event.project === null ? {} : { project: event.project }),
    ...(event.task === null ? {} : { task: event.task }),
    data: { kind: ofKind },
  });
  for (const channel of new Set(wanted.flatMap(({ channels }) => channels)))
    await tx.query(
      `insert into notification_delivery (event, kind, project, task, title, body, path, at, channel)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
      [...values, channel],
    );
}

// People are told of what they may see now: what is of no project only with a role in all.
function wants({ kinds, project, rights }: Rule, kind: string, of: number | null): boolean {
  return (
    kinds.includes(kind) &&
    (project === null || project === of) &&
    (rights === null || roleIn(rights, of) !== null)
  );
}
